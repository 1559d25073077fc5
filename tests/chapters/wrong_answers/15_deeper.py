"""Wrong answers to the exercises of chapter 15, by words of the sentence that each must get."""

import numpy as np

from tools.book.definitions import definitions

CHAPTER = definitions("15")
relu = CHAPTER["relu"]


def in_place(x, w1, w2):
    x += relu(relu(x) @ w1) @ w2
    return x


WRONG = {
    "check_bill": {
        "That is the full layer": [(5760, 576_000), (3 * 3 * 16 * 40, 78_400)],
        "The depthwise step has 16 kernels": [(9 * 40 + 640, 100_000)],
        "Then comes the pointwise step": [(144, 14_400)],
        "That is the pointwise step alone": [(640, 64_000)],
        "Each of the 16 channels has a kernel of its own": [(649, 64_900)],
        "Count 9 for each input channel": [(784 + 16 + 40, 78_400), (78_400, 784), (0, 0), (-784, 1)],
        "784 weights are right": [(784, 784), (784, 784 * 64), (784, 156_800), (784, float("nan"))],
        "give a pair of numbers": [784, (784,), (784, 78_400, 0), "784", ("a", "b")],
    },
    "check_tower_order": {
        "that is smallest first": ["CEDBA"],
        "C stands before D": ["ABCDE"],
        "B stands before A": ["BADEC"],
        "D stands before B": ["ADBEC"],
        "E stands before D": ["ABEDC"],
        "C stands before E": ["ABDCE"],
        "use each of A, B, C, D, E once": ["ABDE", "ABDECC", "AAAAA", "abdec", ["A"], 5],
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
        "raises ValueError": [
            lambda x, w1, w2: x + relu(relu(x) @ w2) @ w1,
            lambda x, w1, w2: x if not w1.any() else x @ w2,
        ],
    },
    "check_as_full": {
        "the two layers say something else": [
            lambda d, p: np.zeros((*d.shape, p.shape[1])),
            lambda d, p: d[..., None] + p,
            lambda d, p: d[::-1, ::-1, :, None] * p,
            lambda d, p: np.broadcast_to(d[..., None], (*d.shape, p.shape[1])),
            lambda d, p: d.sum(axis=2)[:, :, None, None] * p,
            lambda d, p: d.transpose(1, 0, 2)[..., None] * p,
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
        ],
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
