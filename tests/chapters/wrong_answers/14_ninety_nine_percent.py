"""Wrong answers to the exercises of chapter 14, by words of the sentence that each must get."""

import numpy as np

BILL = [230_400, 460_800, 409_600, 1_280]


def without(index, value):
    """Return the right bill with another value for one layer."""
    return [*BILL[:index], value, *BILL[index + 1:]]


def padded(image, down, right):
    """Move, and repeat the edge."""
    H, W = image.shape
    rows = np.clip(np.arange(H) - down, 0, H - 1)
    columns = np.clip(np.arange(W) - right, 0, W - 1)
    return image[rows][:, columns]


def moved(image, down, right, fill=0.0):
    H, W = image.shape
    result = np.full((H, W), fill)
    for i, j in np.ndindex(H, W):
        if 0 <= i - down < H and 0 <= j - right < W:
            result[i, j] = image[i - down, j - right]
    return result


def in_place(image, down, right):
    image[...] = moved(image, down, right)
    return image


def only_forward(image, down, right):
    """Right for numbers that are not negative."""
    H, W = image.shape
    return np.pad(image, ((max(down, 0), 0), (max(right, 0), 0)))[:H, :W]


def blank_rows_only(image, down, right):
    """Roll, and clear the rows but not the columns."""
    result = np.roll(image, (down, right), (0, 1))
    if down > 0:
        result[:down] = 0
    elif down < 0:
        result[down:] = 0
    return result


def one_sign_wrong(which):
    """Return a move that fails where `which(down, right)` says so."""
    return lambda image, down, right: moved(image, *((-down, -right) if which(down, right) else (down, right)))


def soft_to_others(labels, smoothing, classes):
    hard = np.eye(classes)[labels]
    return np.where(hard == 1, 1 - smoothing, smoothing / (classes - 1))


def span(marks):
    return marks[-1] - marks[0]


WRONG = {
    "check_products": {
        "give four whole numbers, not": [
            5, "230400", BILL[:3], [*BILL, 0], None, without(1, "many"), without(3, 1280.5), without(0, float("nan")),
            without(0, float("inf")), sum(BILL),
        ],
        "the maps that flatten lays in a row are larger now": [without(2, 65_536), [*BILL[:2], 65_536, 10]],
        "layer 1 has not": [[57_600, 73_728, 65_536, 1_280], without(0, 784 * 25 * 16), without(0, 24 * 24 * 16)],
        "layer 2 has not": [without(1, 73_728), without(1, 144 * 144 * 32), without(1, 100 * 9 * 32), without(1, 22 * 22 * 144 * 32)],
        "layer 3 has not": [without(2, 25 * 32 * 128), without(2, 100 * 32), without(2, 409_728)],
        "layer 4 has not": [without(3, 1_290), without(3, 320)],
    },
    "check_true_changes": {
        "give letters from A to F, not": [5, None, "BDG", "bdf", 2.5, ["B", "D", 3]],
        "A is false": ["ABCDEF", "ABDF", "A"],
        "C is false": ["BCDF", "C"],
        "E is false": ["BDEF"],
        "B is missing": ["", "DF", set()],
        "D is missing": ["BF"],
        "F is missing": ["BD"],
    },
    "check_move": {
        "what leaves comes back at the edge": [lambda image, down, right: np.roll(image, (down, right), (0, 1))],
        "gives other pixels": [
            padded, only_forward, blank_rows_only,
            lambda image, down, right: image,
            lambda image, down, right: moved(image, right, down),
            lambda image, down, right: moved(image, -down, -right),
            lambda image, down, right: moved(image, down, right, fill=1.0),
            lambda image, down, right: moved(image, down, 0),
            lambda image, down, right: np.roll(image, (right, down), (0, 1)),
            lambda image, down, right: np.zeros_like(image),
            one_sign_wrong(lambda down, right: down < 0 < right), one_sign_wrong(lambda down, right: right < 0 < down),
        ],
        "changes the image it gets": [in_place],
        "the shape is": [
            lambda image, down, right: np.pad(image, ((abs(down),) * 2, (abs(right),) * 2)),
            lambda image, down, right: image[max(down, 0):, max(right, 0):],
            lambda image, down, right: 0,
        ],
        "raises": [lambda image: image, lambda image, down, right: image + "down"],
        "returns None": [lambda image, down, right: None],
    },
    "check_soften": {
        "gives [": [
            lambda labels, smoothing, classes: np.eye(classes)[labels],
            lambda labels, smoothing, classes: np.full((len(labels), classes), 1 / classes),
            lambda labels, smoothing, classes: smoothing * np.eye(classes)[labels] + (1 - smoothing) / classes,
            lambda labels, smoothing, classes: 0.95 * np.eye(classes)[labels] + 0.05 / classes,
        ],
        "a row sums to": [
            lambda labels, smoothing, classes: (1 - smoothing) * np.eye(classes)[labels],
            lambda labels, smoothing, classes: np.eye(classes)[labels] + smoothing / classes,
            lambda labels, smoothing, classes: (1 - smoothing) * np.eye(classes)[labels] + smoothing,
            lambda labels, smoothing, classes: (1 - smoothing) * np.eye(classes)[labels] + smoothing / (classes - 1),
        ],
        "the right class has its share": [soft_to_others],
        "gives the shape": [
            lambda labels, smoothing, classes: np.eye(classes)[labels].T[:, :1],
            lambda labels, smoothing, classes: labels,
            lambda labels, smoothing, classes: np.ones((len(labels), 10)) / 10,
        ],
        "raises": [lambda labels: labels, lambda labels, smoothing, classes: labels / 0 + [1, 2, 3, 4, 5, 6, 7]],
    },
    "check_in_epochs": {
        "the first batch's building is in your unit": [
            lambda seconds, marks, images, batch: seconds / (marks[-1] / len(marks) * -(-images // batch)),
        ],
        "between n marks lie n - 1 batches": [
            lambda seconds, marks, images, batch: seconds / (span(marks) / len(marks) * -(-images // batch)),
        ],
        "the last batch of an epoch counts as whole": [
            lambda seconds, marks, images, batch: seconds / (span(marks) / (len(marks) - 1) * images / batch),
        ],
        "images gives": [
            lambda seconds, marks, images, batch: seconds,
            lambda seconds, marks, images, batch: seconds / (span(marks) / (len(marks) - 1)),
            lambda seconds, marks, images, batch: seconds / (span(marks) / (len(marks) - 1) * (images // batch)),
            lambda seconds, marks, images, batch: span(marks) / (len(marks) - 1) * -(-images // batch) / seconds,
            lambda seconds, marks, images, batch: seconds / ((marks[1] - marks[0]) * -(-images // batch)),
            lambda seconds, marks, images, batch: seconds / ((marks[-1] - marks[-2]) * -(-images // batch)),
            lambda seconds, marks, images, batch: seconds / (np.median(np.diff(marks)) * -(-images // batch)),
            lambda seconds, marks, images, batch: seconds / (marks[-1] * -(-images // batch)),
            lambda seconds, marks, images, batch: float("nan"),
            lambda seconds, marks, images, batch: 1j,
        ],
        "gives no single number": [lambda seconds, marks, images, batch: [seconds]],
        "raises": [lambda seconds: seconds],
        "returns None": [lambda seconds, marks, images, batch: None],
    },
}
