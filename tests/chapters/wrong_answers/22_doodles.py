"""Wrong answers to the exercises of chapter 22, by words of the sentence that each must get."""

import json

import numpy as np


def each(change):
    """Return a function of strokes that changes each by itself."""
    return lambda strokes: [change(s) for s in strokes]


def together(change):
    """Return a function of strokes that changes each by all points: change(stroke, low, extents)."""
    def boxed(strokes):
        p = np.concatenate(strokes)
        return [change(s, p.min(axis=0), np.maximum(np.ptp(p, axis=0), 1e-9)) for s in strokes]
    return boxed


def spoiled(strokes):
    """Be right for all but a tap, for which nothing is a number."""
    p = np.concatenate(strokes)
    with np.errstate(all="ignore"):
        return [(s - p.min(axis=0)) * 255 / np.ptp(p, axis=0).max() for s in strokes]


def right(strokes):
    p = np.concatenate(strokes)
    return [(s - p.min(axis=0)) * 255 / max(np.ptp(p, axis=0).max(), 1e-9) for s in strokes]


def letters(lines):
    return [len(json.loads(line)["word"]) for line in lines]


def middle(images, inked):
    """Return the mean middle of the boxes along a line of pixels."""
    first, last = inked.argmax(axis=1), 27 - inked[:, ::-1].argmax(axis=1)
    return ((first + last) / 2).mean() - 13.5


def middles(inked):
    return (inked.argmax(axis=1) + 27 - inked[:, ::-1].argmax(axis=1)) / 2 - 13.5


def columns(images):
    return (images > 0).any(axis=1)


def sureness(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return (e / e.sum(axis=1, keepdims=True)).max(axis=1)


def lowest(score, n):
    out = np.zeros(len(score), bool)
    out[np.argsort(score, kind="stable")[:n]] = True
    return out


GOOD = {"shifted": "bird", "misnamed": "dog", "it holds": "cat"}

WRONG = {
    "check_line": {
        "give four whole numbers": [[13, 14, 1], [13.5, 14, 1, 26], "13 14 1 26", np.array([13, 14, 1, np.nan]), [13 + 1j, 14, 1, 26], ["13", 14, 1, 26], [13, 14, 1, 28], [-1, 14, 1, 26], {13, 14, 1, 26}, [True, 14, 1, 26]],
        "the first row, the last row": [[14, 13, 1, 26], [13, 14, 26, 1]],
        "Where does its box lie": [[0, 1, 0, 27], [1, 2, 1, 26], (2, 2, 1, 26), [1, 26, 13, 14]],
        "not as high as it is long": [[12, 17, 1, 26], [5, 20, 1, 26]],
        "the border of two pixels": [[13, 13, 1, 26], [14, 14, 1, 26], [12, 14, 1, 26], [13, 15, 1, 26], [np.int64(12), 14.0, np.float32(1), 26], np.array([13, 16, 1, 26])],
        "25 pixels": [[13, 14, 0, 27], [13, 14, 2, 25], [13, 14, 2, 26], [13, 14, 1, 25], np.array([13, 14, 0, 26])],
    },
    "check_to_box": {
        "larger extent of a wide drawing": [
            each(lambda s: s - s.min(axis=0) if np.ptp(s) else s * 0),
            together(lambda s, low, size: (s - low) * 256 / size.max()),
            together(lambda s, low, size: (s - low) * 28 / size.max()),
            together(lambda s, low, size: (s - low) * 255 / size.min()),
        ],
        "larger extent of a tall drawing": [
            together(lambda s, low, size: (s - low) * 255 / size[0]),
            lambda strokes: [(s - np.concatenate(strokes).min(axis=0)) * 255 / 400 for s in strokes],
        ],
        "changes its form": [
            together(lambda s, low, size: (s - low) * 255 / size),
            lambda strokes: [s[:, ::-1] for s in right(strokes)],
            lambda strokes: [np.concatenate(right(strokes)).max(axis=0) - s for s in right(strokes)],
            lambda strokes: right(strokes)[:1] + [s * 0 + 3 for s in right(strokes)[1:]],
        ],
        "a single drawing begins at": [
            lambda strokes: right(strokes) if np.ptp(np.concatenate(strokes)) > 3 else strokes,
            together(lambda s, low, size: (s - low) * 255 / size.max() + 127.5 * (size.max() < 1)),
        ],
        "some points are no numbers": [spoiled],
        "a wide drawing begins at": [
            lambda strokes: strokes,
            together(lambda s, low, size: s * 255 / size.max()),
            together(lambda s, low, size: (s - low) * 255 / size.max() + (256 - 255 * size / size.max()) / 2),
        ],
        "gave no list": [lambda strokes: right(strokes)[0], lambda strokes: right(strokes)[:1], lambda strokes: np.concatenate(right(strokes))],
        "a stroke (2, 2) became": [lambda strokes: [s.T[:1] for s in right(strokes)], lambda strokes: [s[:1] for s in right(strokes)]],
        "raises": [lambda strokes: strokes - strokes.min()],
        "complex numbers": [lambda strokes: [s + 1j for s in right(strokes)]],
    },
    "check_first_words": {
        "UnicodeDecodeError": [lambda data: letters(data.decode().split("\n")[:-1])],
        "JSONDecodeError": [lambda data: letters(data.decode(errors="ignore").splitlines()), lambda data: letters(data.split(b"\n"))],
        "it gives the shape": [
            lambda data: letters(data.decode(errors="ignore").splitlines()[:-1]),
            lambda data: [],
            lambda data: data.count(b"\n"),
            lambda data: letters(data.split(b"\n")[:-2]),
        ],
        "it gives [": [
            lambda data: [len(line) for line in data.split(b"\n")[:-1]],
            lambda data: [len(json.loads(line)["word"].encode()) for line in data.split(b"\n")[:-1]],
            lambda data: letters(data.split(b"\n")[:-1])[::-1],
            lambda data: [3, 12, 7, 3][:data.count(b"\n")],
        ],
    },
    "check_shift_of": {
        "a shift to the right is positive": [
            lambda images: -round(middle(images, columns(images))),
            lambda images: abs(round(middle(images, columns(images)))),
        ],
        "it gives": [
            lambda images: 0,
            lambda images: 1,
            lambda images: round(middle(images, (images > 0).any(axis=2))),  # rows
            lambda images: round((columns(images).argmax(axis=1) - 1).mean()),
            lambda images: round((26 - columns(images).argmax(axis=1)).mean()),
            lambda images: round((np.arange(28) * images.mean(axis=(0, 1))).sum() / images.mean(axis=(0, 1)).sum() - 13.5),
            lambda images: round(middle(images, columns(images)) + 0.6),
            lambda images: middle(images, columns(images)) + 0.1,
            lambda images: 10**9 * images.mean(),
        ],
        "on average": [
            lambda images: round(middle(images[:1], columns(images[:1]))),
            lambda images: round(middle(images, columns(images).any(axis=0, keepdims=True))),  # one box around all
            lambda images: round(float(np.median(middles(columns(images))))),
            lambda images: round(middle(images[-1:], columns(images[-1:]))),
        ],
        "not one number": [lambda images: np.round(images.mean(axis=(1, 2))), lambda images: float("nan"), lambda images: [1, 0]],
        "raises": [lambda images: images[99].argmax()],
    },
    "check_folder": {
        "give a dictionary with the keys": ["banana", [*GOOD.values()], {}, {"shifted": "banana"}, GOOD | {"more": 1}],
        "its boxes lie in the middle": [GOOD | {"shifted": "dog"}, {"shifted": "dog", "misnamed": "bird", "it holds": "dog"}],
        "has no file of images": [GOOD | {"shifted": "cat"}, GOOD | {"shifted": None}, GOOD | {"misnamed": "cat"}, GOOD | {"misnamed": 3}],
        "is not moved": [GOOD | {"shifted": "banana"}],
        "move its images back": [GOOD | {"misnamed": "bird"}, {"shifted": "bird", "misnamed": "bird", "it holds": "banana"}],
        "fits the strokes of its name": [GOOD | {"misnamed": "banana"}],
        "do its images fit": [GOOD | {"it holds": "dog"}, GOOD | {"it holds": "banana"}, GOOD | {"it holds": 7}],
    },
    "check_ask_again": {
        "Neither a large logit nor a large gap": [
            lambda z, share: lowest(np.diff(np.sort(z, axis=1)[:, -2:])[:, 0], round(share * len(z))),
            lambda z, share: lowest(z.max(axis=1), round(share * len(z))),
            lambda z, share: lowest(-sureness(z), round(share * len(z))),
            lambda z, share: np.arange(len(z)) < round(share * len(z)),
            lambda z, share: lowest(z.sum(axis=1), round(share * len(z))),
        ],
        "it asks for": [
            lambda z, share: sureness(z) < share,
            lambda z, share: np.zeros(len(z), bool),
            lambda z, share: lowest(sureness(z), round((1 - share) * len(z))),
            lambda z, share: lowest(sureness(z), int(share * len(z))),
            lambda z, share: lowest(sureness(z), max(1, round(share * len(z)))),
        ],
        "times True or False": [
            lambda z, share: np.argsort(sureness(z))[:round(share * len(z))],
            lambda z, share: sureness(z),
            lambda z, share: lowest(sureness(z), round(share * len(z))).astype(int),
            lambda z, share: True,
        ],
        "raises": [lambda z, share: sureness(z)[share]],
    },
}
