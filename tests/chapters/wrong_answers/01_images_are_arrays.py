"""Wrong answers to the exercises of chapter 01, by words of the sentence that each must get."""

import numpy as np
import tensorflow as tf

from tools.book.definitions import definitions

CHAPTER = definitions("01")
GREY, HEALTHY, IMAGE, WARD = CHAPTER["GREY"], CHAPTER["HEALTHY"], CHAPTER["IMAGE"], CHAPTER["WARD"]
weights = GREY


def changes_its_input(a, b):
    result = ((a.astype(int) + b) // 2).astype(np.uint8)
    a[:] = 0
    return result


def grey_checked(formula, message="shape {}", axis=-1):
    """Return a conversion that refuses other shapes, as it should, and applies `formula`."""
    def convert(x):
        if x.shape[axis] != 3:
            raise ValueError(message.format(x.shape))
        return formula(x)
    return convert


def right_grey(x):
    return (x / 255 @ weights)[..., None]


def healed(**other):
    """Return the six healthy patients, some of them replaced."""
    return {**HEALTHY, **other}


WRONG = {
    "check_two_numbers": {
        "give a list of two numbers": [
            [None, None], [18, None], 18, [18, 6, 0], ["18", "6"], {0: 18, 1: 6},
        ],
        "both numbers are right, in the other order": [[6, 18]],
        "reshape does not give": [[18, 18], [18, 7], [18, 12]],
        "transpose does not give": [
            [6, 6],
            [12, 6],  # [1, 0, 0]
            [14, 6],  # [1, 0, 2]: the axes turned the other way round
            [6, 6], [17, 6],
            [9, 6],  # row 1, column 2, counted without channels
        ],
    },
    "check_average": {
        "of 65,536 pairs are wrong": [
            lambda a, b: (a + b) // 2,
            lambda a, b: a // 2 + b // 2,  # loses one where both are odd
            lambda a, b: a // 2 + b // 2 + 1,
            # rounds to the even neighbour
            lambda a, b: np.round((a.astype(float) + b) / 2).astype(np.uint8),
            lambda a, b: ((a.astype(int) + b + 1) // 2).astype(np.uint8),  # rounds up
            lambda a, b: ((a + b).astype(int) // 2).astype(np.uint8),  # wider too late
            lambda a, b: ((a + b) / 2).astype(np.uint8),
            # wide enough, but signed
            lambda a, b: ((a.astype(np.int8) + b.astype(np.int8)) // 2).astype(np.uint8),
            # cut off, not wider
            lambda a, b: (np.minimum(a.astype(int) + b, 255) // 2).astype(np.uint8),
            lambda a, b: np.maximum(a, b),
            lambda a, b: a + (b - a) // 2,  # right only where b >= a
        ],
        "the result is int64": [lambda a, b: (a.astype(int) + b) // 2],  # int64
        "the result is float64": [lambda a, b: (a.astype(float) + b) / 2],  # float64
        "became (": [
            lambda a, b: ((a.astype(int) + b) // 2).astype(np.uint8).ravel(),
            lambda a, b: ((a.astype(int) + b) // 2).astype(np.uint8)[:, :, None],
        ],
        "the function changes its inputs": [changes_its_input],
    },
    "check_to_grey": {
        "(4, 5, 3) became float64": [
            lambda x: x.mean(axis=2),
            grey_checked(lambda x: x / 255 @ weights),  # no channel
            grey_checked(lambda x: (x / 255 @ weights)[None]),
        ],
        "the message does not name": [
            right_grey,  # no error
            grey_checked(right_grey, "bad shape"),  # does not name it
            lambda x: grey_checked(right_grey)(x) if x.ndim == 3 else right_grey(x),
        ],
        "expected": [
            grey_checked(lambda x: (x @ weights)[..., None]),  # 0 to 255
            grey_checked(lambda x: (x / 256 @ weights)[..., None]),
            grey_checked(lambda x: (x / 255 @ weights[::-1])[..., None]),  # BGR
            grey_checked(lambda x: (x / 255).mean(axis=-1, keepdims=True)),
            # through bytes
            grey_checked(lambda x: (x @ weights).astype(np.uint8)[..., None] / 255),
            grey_checked(lambda x: tf.image.rgb_to_grayscale(x / 255).numpy()),  # red 0.2989
            grey_checked(lambda x: x[..., 1:2] / 255),  # green alone
        ],
        "became uint8 (4, 5, 1)": [
            grey_checked(lambda x: np.round(x @ weights).astype(np.uint8)[..., None]),  # bytes
        ],
        "(2, 4, 5, 3) became float64": [
            grey_checked(
                lambda x: sum(x[:, :, c] * GREY[c] for c in range(3))[..., None] / 255),
            # wrong place in a batch
            grey_checked(lambda x: np.tensordot(x / 255, weights, (-1, 0))[:, :, None]),
        ],
        "must raise a ValueError": [
            lambda x: (x / 255 * weights).sum(axis=-1, keepdims=True),  # one channel fits, too
        ],
        "raises ValueError": [grey_checked(right_grey, axis=0), grey_checked(right_grey, axis=2)],
    },
    "check_ladder": {
        " numbers, ": [
            "ABCDE", "DEABC", list("ABCDE"),
            "ACBED",  # A counted without its channels
            "BCAED", "CBEAD", "CABED", "CBADE",
            "ADECB",  # by the number of neurons
            "BCEAD",  # by the number of pixels
        ],
        "give one string with each of A": ["CBAE", "CBAEDD", 5, "cbaed", ["C", "B", "A", "E"]],
    },
    "check_clinic": {
        "it has 3 axes": [WARD, healed(A=WARD["A"]), healed(B=WARD["B"])],
        "give a dict with the keys A": [
            list(HEALTHY.values()), {k: v for k, v in HEALTHY.items() if k != "F"},
            {**HEALTHY, "G": IMAGE},
        ],
        "its shape (1, 3, 6, 8) is read as": [healed(C=WARD["C"])],
        "its dtype is uint8": [healed(D=WARD["D"]), healed(D=WARD["D"] // 255)],
        "its shape (1, 8, 6, 3) is read as": [
            healed(E=WARD["E"]), healed(C=WARD["C"].transpose(0, 3, 2, 1)),
            healed(C=WARD["C"][0].T[None]),  # W, H, C
        ],
        "its shape (16, 3, 3, 3) is read as": [healed(F=WARD["F"])],
        "it has 0 axes": [healed(A=None), healed(A="healthy")],
        "the shape is right, but the numbers are not": [
            healed(A=IMAGE[None] * np.nan), healed(D=WARD["D"] / 256), healed(D=IMAGE[None]),
            healed(D=WARD["D"] / 255 - 0.5), healed(D=1 - WARD["D"] / 255),
        ],
        "its shape (6, 8, 3, 1) is read as": [
            healed(A=IMAGE[..., None]),  # the new axis at the wrong end
        ],
        "it has 5 axes": [healed(A=IMAGE[None, None])],
        "they stand in wrong places": [
            healed(A=IMAGE[None, ::-1]), healed(C=WARD["C"].reshape(1, 6, 8, 3)),
            healed(C=WARD["C"].reshape(1, 8, 6, 3).transpose(0, 2, 1, 3)),
            healed(E=WARD["E"].reshape(1, 6, 8, 3)),
            # the sides are right, the picture is turned
            healed(E=np.rot90(WARD["E"], axes=(1, 2))),
            healed(E=WARD["E"].transpose(0, 2, 1, 3)[:, ::-1]),
            healed(F=WARD["F"].reshape(3, 3, 3, 16)),
            healed(F=WARD["F"].T),  # width before height
            healed(F=WARD["F"].transpose(1, 2, 3, 0)),  # input channels first
            healed(F=WARD["F"].transpose(2, 3, 1, 0)[::-1, ::-1]),  # flipped
        ],
        "its shape (1, 4, 6, 8) is read as": [
            healed(B=WARD["B"][None]),  # four images become four rows
        ],
        "its shape (1, 6, 8, 1) is read as": [
            healed(B=WARD["B"][:1, :, :, None]),  # three images lost
        ],
        "its shape (1, 6, 8, 4) is read as": [
            healed(B=WARD["B"].transpose(1, 2, 0)[None]),  # four images become four channels
        ],
        "its shape (4, 6, 8, 3) is read as": [healed(B=np.repeat(WARD["B"][..., None], 3, -1))],
        "its values go up to 255": [healed(D=WARD["D"].astype(float))],  # 0 to 255
        "its dtype is int64": [healed(D=(WARD["D"] / 255).astype(int))],
        "its shape (3, 3, 16, 3) is read as": [healed(F=WARD["F"].transpose(2, 3, 0, 1))],
    },
}
