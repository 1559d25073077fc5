"""Wrong answers to the exercises of chapter 19, by words of the sentence that each must get."""

import numpy as np
import tensorflow as tf

FULL = dict(reshuffle_each_iteration=False)


def shrinking(data, count, size, seed):
    """Split without a leak, and forget an item in the training part of each pass."""
    mixed = data.shuffle(size, seed=seed, **FULL)
    return mixed.take(count), mixed.skip(count).map(lambda i: tf.maximum(i, 3)).shuffle(size)


def always_seven(data, count, size, seed):
    mixed = data.shuffle(size, seed=7, **FULL)
    return mixed.take(count), mixed.skip(count)


def of_a_part(data, count, size, seed, B):
    """Split without a leak, through a buffer of `B`: the last items are never held."""
    mixed = data.shuffle(B, seed=seed, **FULL)
    return mixed.take(count), mixed.skip(count)


def blocks(data, B, rng):
    return [item for i in range(0, len(data), B) for item in rng.permutation(data[i:i + B]).tolist()]


def box(data, B, rng, draw):
    """Return `data` through a box that draws place `draw(rng, n)` of n."""
    waiting, out = [], []
    for item in data:
        waiting.append(item)
        if len(waiting) == B:
            out.append(waiting.pop(draw(rng, B)))
    while waiting:
        out.append(waiting.pop(draw(rng, len(waiting))))
    return out


def emptied(data, B, rng):
    out = box(data, B, rng, lambda rng, n: rng.integers(n))
    data.clear()
    return out


def one_too_large(data, B, rng):
    return box(data, B + 1, rng, lambda rng, n: rng.integers(n))


OTHER = np.random.default_rng(5)


def twice_by_chance(data, B, rng):
    """Draw by chance twice, and then always from place 0."""
    draws = []

    def draw(rng, n):
        draws.append(n)
        return rng.integers(n) if len(draws) < 3 else 0
    return box(data, B, rng, draw)


def rotated(data, B, rng):
    """Be right until the data end, and give the last box in its order, begun somewhere."""
    waiting, out = list(data[:B]), []
    for item in data[B:]:
        k = rng.integers(B)
        out.append(waiting[k])
        waiting[k] = item
    k = rng.integers(len(waiting))
    return out + waiting[k:] + waiting[:k]


def lazy_first(data, B, rng):
    """Be right but for the first item, which is never the first of the data."""
    out = box(data[:], B, rng, lambda rng, n: rng.integers(n))
    return out if out[0] != data[0] or B == 1 else lazy_first(data, B, rng)


def in_place(logits, counts):
    logits -= np.log(counts / counts.sum())
    return logits


GOOD = {"left and right swapped": "bdpq", "upside down": "bdpqnu", "half a turn": "bdpqnu"}

WRONG = {
    "check_classes": {
        "without any mixing": [[0, 1, 2], (2, 1, 0), range(3), np.arange(3)],
        "a buffer as large as the data": [range(10), [*range(10)]],
        "more can be among them": [[0], [0, 1, 2, 3], [4], [0, 1, 4]],
        "class 5 begins at item 5,000": [[0, 1, 2, 3, 4, 5], [5], range(6)],
        "class 9 begins at item 9,000": [[9], [0, 1, 2, 3, 4, 9]],
        "give a list of classes 0 to 9": [4, "01234", [10], [-1], [0.5], [0, "1"], [True, False, 2, 3, 4], np.array(3), {0: 1}, np.array([0.0, 1.0])],
    },
    "check_call_order": {
        "C stands before D: a name has no pixels": ["CDBFAE", "BCFDAE", "c d b f a e"],
        "B stands before D: the cache keeps names": ["BDFACE"],
        "F stands before B: the cache keeps the first order": ["DFBACE", "FDBACE", list("DFBACE"), np.array(list("DFBACE"))],
        "B stands before": [],
        "C stands before B: the cache keeps the first changes": [],
        "A stands before F: whole batches": ["DBAFCE", "ADBFCE"],
        "C stands before A: the change is written": ["DBFCAE", "DBCFAE"],
        "E stands before": [],
        "is not made ahead": ["DBFAEC", "DBFEAC", "EDBFAC"],
        "use each of A to F once": ["ABCDE", "ABCDEE", "ABCDEFF", "abcdeg", "A B C", 5, np.array(3), {"A": 1}],
    },
    "check_split_off": {
        "validation items are also trained on": [
            lambda data, count, size, seed: (data.shuffle(size, seed=seed).take(count), data.shuffle(size, seed=seed).skip(count)),
            lambda data, count, size, seed: (data.shuffle(size, seed=seed, **FULL).take(count), data.skip(count)),
            lambda data, count, size, seed: (data.take(count), data.take(size - count)),
        ],
        "that is one end of the data": [
            lambda data, count, size, seed: (data.take(count), data.skip(count)),
            lambda data, count, size, seed: (data.skip(size - count), data.take(size - count)),
            lambda data, count, size, seed: (data.take(count).shuffle(size, seed=seed), data.skip(count).shuffle(size, seed=seed)),
        ],
        "some items are in neither part": [
            lambda data, count, size, seed: (data.shuffle(size, seed=seed, **FULL).take(count),
                                             data.shuffle(size, seed=seed, **FULL).skip(count).take(1).repeat(size - count)),
        ],
        "another seed shall choose other items": [always_seven],
        "seven seeds choose none of": [
            lambda data, count, size, seed: of_a_part(data, count, size, seed, size // 2),
            lambda data, count, size, seed: of_a_part(data, count, size, seed, 30),
        ],
        "items of": [
            lambda data, count, size, seed: (data.shuffle(size, seed=seed, **FULL).take(count), data),
            lambda data, count, size, seed: (data.repeat(), data.skip(count)),
            lambda data, count, size, seed: (data.take(count).batch(2), data.skip(count)),
        ][:2],
        "not two datasets": [
            lambda data, count, size, seed: data,
            lambda data, count, size, seed: [1, 2],
            lambda data, count, size, seed: (data, data, data),
        ],
        "raises": [lambda data, count, size, seed: data.split(count), lambda data, count, size, seed: (data.batch(2), data)],
    },
    "check_through_buffer": {
        "that shall be": [
            blocks,
            lambda data, B, rng: box(data[:B], B, rng, lambda rng, n: rng.integers(n)) + list(data[B:]),
            twice_by_chance,
            lambda data, B, rng: list(data),
            lambda data, B, rng: box(data, B, rng, lambda rng, n: 0),
            lambda data, B, rng: box(data, B, rng, lambda rng, n: n - 1),
            lambda data, B, rng: box(data, B, rng, lambda rng, n: rng.integers(max(1, n - 1))),
            lazy_first,
        ],
        "early": [lambda data, B, rng: rng.permutation(data), lambda data, B, rng: data[::-1], one_too_large],
        "shall give each item once": [
            lambda data, B, rng: data[:B],
            lambda data, B, rng: rng.choice(data, len(data)),
            lambda data, B, rng: 3,
        ],
        "in each of the 6 orders": [rotated],
        "Draw with `rng`": [lambda data, B, rng: box(data, B, OTHER, lambda rng, n: rng.integers(n))],
        "it changed the list": [emptied],
        "raises ValueError": [lambda data, B, rng: [data.remove(0)]],
        "raises IndexError": [
            lambda data, B, rng: data[99] if (len(data), B) == (9, 3) else box(data, B, rng, lambda rng, n: rng.integers(n)),
        ],
    },
    "check_adjust": {
        "That makes the rare classes rarer": [lambda z, n: z + np.log(n / n.sum()), lambda z, n: z + np.log(n)],
        "you subtract something else": [
            lambda z, n: z, lambda z, n: z / n, lambda z, n: z - n / n.sum(), lambda z, n: z * n.sum() / n,
            lambda z, n: z - np.log10(n), lambda z, n: z - 2 * np.log(n), lambda z, n: z - np.sort(np.log(n)) if len(n) > 2 else z,
        ],
        "give the shape": [lambda z, n: z[0], lambda z, n: z.T, lambda z, n: (z - np.log(n)).argmax(axis=1), lambda z, n: z + 1j],
        "it changed the array": [in_place],
        "raises": [lambda z, n: z - np.log(n)[:, None, None][:7] @ z],
    },
    "check_lies": {
        "'left and right swapped' makes another letter of": [GOOD | {"left and right swapped": "bd"}, GOOD | {"left and right swapped": ""}],
        "'upside down' makes another letter of": [GOOD | {"upside down": "bdpq"}, GOOD | {"upside down": ["b", "d", "n", "p", "q"]}],
        "'half a turn' makes another letter of": [GOOD | {"half a turn": "n, u"}, GOOD | {"half a turn": set("bdpq")}],
        "does not make another letter of o": [GOOD | {"half a turn": "bdpqnuo"}],
        "does not make another letter of n": [GOOD | {"left and right swapped": "bdpqnu"}],
        "does not make another letter of x": [GOOD | {"upside down": "bdpqnux"}],
        "give some of the letters": [GOOD | {"half a turn": 3}, GOOD | {"half a turn": "bdpqnuz"}, GOOD | {"upside down": None}],
        "give a dictionary with the keys": ["bdpq", {}, {"half a turn": "bd"}, GOOD | {"more": ""}, [*GOOD]],
    },
}
WRONG = {checker: {words: answers for words, answers in rows.items() if answers} for checker, rows in WRONG.items()}
