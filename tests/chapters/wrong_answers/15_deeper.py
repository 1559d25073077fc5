"""Wrong answers to the exercises of chapter 15, by words of the sentence that each must get."""

import keras
import numpy as np

from tools.book.definitions import definitions

CHAPTER = definitions("15")
relu = CHAPTER["relu"]


def in_place(x, w1, w2):
    x += relu(relu(x) @ w1) @ w2
    return x


def unlike(x, w1, w2):
    return x if not w1.any() else np.ones((7, 4))


def rearranged(logits, change):
    """Return `logits` (H, W, K) with all places but the first changed."""
    flat = logits.reshape(-1, logits.shape[2])
    return np.concatenate([flat[:1], change(flat[1:])]).reshape(logits.shape)


def all_in_one_place(maps, w, b):
    logits = maps @ w + b
    return np.pad(logits.sum(axis=(0, 1))[None, None], [(0, n - 1) for n in maps.shape[:2]] + [(0, 0)])


def two_swapped(maps, w, b):
    logits = maps @ w + b
    logits[[0, 1], 1] = logits[[1, 0], 1]
    return logits


def unbalanced(maps):
    """Return numbers (H, W, 1) whose mean is 0."""
    numbers = np.arange(maps.shape[0] * maps.shape[1], dtype=float).reshape(*maps.shape[:2], 1)
    return numbers - numbers.mean()


def seesaw(maps, w, b):
    logits = maps @ w + b
    logits[0, 0] += 1
    logits[-1, -1] -= 1
    return logits


class Once:
    """A right `evidence` when maps are new to it, and a wrong one when only one place of them is."""

    def __init__(self, fail):
        self.fail = fail

    def __call__(self, maps, w, b):
        first = np.random.default_rng(0 if len(maps) == 3 else 1).normal(size=maps.shape)
        if np.array_equal(maps, first):
            return maps @ w + b
        return 1 // 0 if self.fail else np.zeros(3)


WRONG = {
    "check_bill": {
        "That is the full layer": [(5760, 576_000), (3 * 3 * 16 * 40, 78_400)],
        "The depthwise step has 16 kernels": [(9 * 40 + 640, 100_000)],
        "Then comes the pointwise step": [(144, 14_400)],
        "That is the pointwise step alone": [(640, 64_000)],
        "Each of the 16 channels has a kernel of its own": [(649, 64_900)],
        "Count without biases": [(784 + 16 + 40, 78_400), (784 + 40, 82_400)],
        "Count 9 for each input channel": [(78_400, 784), (0, 0), (-784, 1), np.array([785, 78_400])],
        "784 weights are right": [(784, 784), (784, 784 * 64), (784, 156_800)],
        "give a pair of numbers": [784, (784,), (784, 78_400, 0), "784", ("a", "b"), ("784", "78400"), {784, 78_400},
                                   {784: 0, 78_400: 0}, (784, float("nan")), np.array(784), keras.Input((2,))],
    },
    "check_tower_order": {
        "that is smallest first": ["CEDBA"],
        "C stands before D": ["ABCDE", np.array("ABCDE"), np.array(list("ABCDE"))],
        "B stands before A": ["BADEC"],
        "D stands before B": ["ADBEC"],
        "E stands before D": ["ABEDC"],
        "C stands before E": ["ABDCE"],
        "use each of A, B, C, D, E once": ["ABDE", "ABDECC", "AAAAA", "abdec", ["A"], 5, np.array(3), np.array("ABDE"), {"A", "B", "C", "D", "E"}],
    },
    "check_residual": {
        "only what is positive gets through": [
            lambda x, w1, w2: relu(x) + relu(relu(x) @ w1) @ w2,
            lambda x, w1, w2: relu(x + relu(relu(x) @ w1) @ w2),
            lambda x, w1, w2: np.abs(x),
        ],
        "x does not come out as it went in": [
            lambda x, w1, w2: relu(relu(x) @ w1) @ w2,
            lambda x, w1, w2: (x + relu(relu(x) @ w1) @ w2) / 2,
            lambda x, w1, w2: 2 * x + relu(relu(x) @ w1) @ w2,
            lambda x, w1, w2: -x + relu(relu(x) @ w1) @ w2,
        ],
        "but f is relu, w1, relu, w2": [
            lambda x, w1, w2: x,
            lambda x, w1, w2: x + relu(x @ w1) @ w2,
            lambda x, w1, w2: x + relu(x) @ w1 @ w2,
            lambda x, w1, w2: x + relu(relu(relu(x) @ w1) @ w2),
            lambda x, w1, w2: x - relu(relu(x) @ w1) @ w2,
            lambda x, w1, w2: x + relu(relu(x) @ w1) @ w2 / np.sqrt(10),
        ],
        "it changed the array": [in_place],
        "gives the shape": [
            lambda x, w1, w2: relu(relu(x) @ w1),
            lambda x, w1, w2: (x + relu(relu(x) @ w1) @ w2)[0],
        ],
        "raises ValueError": [lambda x, w1, w2: x + relu(relu(x) @ w2) @ w1],
        "with other weights your function raises ValueError": [lambda x, w1, w2: x if not w1.any() else x @ w2],
        "with other weights your function returns the shape": [lambda x, w1, w2: x if not w1.any() else x[0], unlike],
    },
    "check_as_full": {
        "the two layers say something else": [
            lambda d, p: np.zeros((*d.shape, p.shape[1])),
            lambda d, p: d[..., None] + p,
            lambda d, p: d[::-1, ::-1, :, None] * p,
            lambda d, p: np.broadcast_to(d[..., None], (*d.shape, p.shape[1])),
            lambda d, p: d.sum(axis=2)[:, :, None, None] * p,
            lambda d, p: d.transpose(1, 0, 2)[..., None] * p,
            lambda d, p: (d[..., None] * p * 1.01).astype(np.float32),
            lambda d, p: (d[..., None] + p).astype(np.float16),
        ],
        "gives the shape": [
            lambda d, p: d @ p,
            lambda d, p: d,
            lambda d, p: (d[..., None] * p).transpose(0, 1, 3, 2)[..., :1, :],
            lambda d, p: 1j * d[..., None] * p,
        ],
        "raises ValueError": [lambda d, p: d * p],
    },
    "check_evidence": {
        "the bias is missing": [lambda maps, w, b: maps @ w],
        "one place changed, and others changed": [
            lambda maps, w, b: np.tile(maps.mean(axis=(0, 1)) @ w + b, (*maps.shape[:2], 1)),
            lambda maps, w, b: (maps[::-1, ::-1] @ w + b),
            lambda maps, w, b: (maps @ w + b).reshape(maps.shape[1], maps.shape[0], -1).transpose(1, 0, 2),
            lambda maps, w, b: rearranged(maps @ w + b, lambda rest: np.roll(rest, 1, axis=0)),
            lambda maps, w, b: rearranged(maps @ w + b, lambda rest: rest[::-1]),
            lambda maps, w, b: rearranged(maps @ w + b, lambda rest: rest * 0 + rest.mean(axis=0)),
            two_swapped,
        ],
        "has logits that are not its own": [all_in_one_place, seesaw, lambda maps, w, b: maps @ w + b + unbalanced(maps)],
        "with other maps it raises ZeroDivisionError": [Once(fail=True)],
        "with other maps it has another shape": [Once(fail=False)],
        "the mean is not the network's logits": [
            lambda maps, w, b: (maps @ w + b) / (maps.shape[0] * maps.shape[1]),
            lambda maps, w, b: maps @ w + b * maps.shape[0] * maps.shape[1],
            lambda maps, w, b: relu(maps @ w + b),
            lambda maps, w, b: relu(maps) @ w + b,
            lambda maps, w, b: maps @ w - b,
        ],
        "give the shape": [
            lambda maps, w, b: maps.mean(axis=(0, 1)) @ w + b,
            lambda maps, w, b: (maps @ w + b).sum(axis=2),
            lambda maps, w, b: (maps @ w + b).reshape(-1, len(b)),
        ],
        "raises ValueError": [lambda maps, w, b: w @ maps + b],
    },
}
