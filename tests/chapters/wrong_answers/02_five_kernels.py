"""Wrong answers to the exercises of chapter 02, by words of the sentence that each must get."""

import numpy as np

from tools.book.definitions import definitions

KERNELS = definitions("02")["KERNELS"]

delta_kernel = np.array([[0, 0, 0], [0, 1, 0], [0, 0, 0]])
five = list(KERNELS)
right_order = ["top Sobel", "blur", "emboss", "edge", "sharpen"]


def pascal(size):
    row = np.array([1.0])
    for _ in range(size - 1):
        row = np.convolve(row, [1, 1])
    return np.outer(row, row) / row.sum() ** 2


def pascal_checked(size, test, message="size {}"):
    if test(size):
        raise ValueError(message.format(size))
    return pascal(size)


def mean_gaussian(size):
    if size < 1 or size % 2 == 0:
        raise ValueError(f"size {size}")
    t = np.arange(size) - size // 2
    row = np.exp(-t**2 / 2)
    return np.outer(row, row) / row.sum() ** 2


WRONG = {
    "check_corner": {
        "replace None by a number": ["3"],
        "that is the middle": [1, np.array(1)],
        "Add up the weights that lie on the image": [5, 4, 2, 9 / 16, -3],
    },
    "check_names": {
        "A is not blur": [five],
        "use each of": [five[:4], five + ["blur"]],
        "A is not sharpen": [right_order[::-1]],
        "C is not sharpen": [
            ["top Sobel", "blur", "sharpen", "edge", "emboss"],  # the two whose middle is 1
        ],
        "A is not edge": [
            ["edge", "blur", "emboss", "top Sobel", "sharpen"],  # the two whose middle is 0
        ],
        "A is not emboss": [
            ["emboss", "blur", "top Sobel", "edge", "sharpen"],  # the two that lean
        ],
        "B is not sharpen": [["top Sobel", "sharpen", "emboss", "edge", "blur"]],
    },
    "check_to_bytes": {
        "-0.3 became 180, expected": [
            lambda x: (x * 255).astype(int).astype(np.uint8),
            lambda x: np.round(np.minimum(x, 1) * 255).astype(int).astype(np.uint8),
        ],
        "not uint8 (2, 4)": [
            lambda x: np.clip(x * 255, 0, 255),  # floats
            lambda x: np.round(np.clip(x, 0, 1) * 255).astype(np.uint8).ravel(),
        ],
        "0.999 became 254, expected": [
            lambda x: (np.clip(x, 0, 1) * 255).astype(np.uint8),  # cut off, not rounded
        ],
        "1.0 became 0, expected": [
            lambda x: np.round(np.clip(x, 0, 1) * 256).astype(int).astype(np.uint8),
            lambda x: np.zeros_like(x, dtype=np.uint8),
        ],
        "-0.3 became 76, expected": [
            lambda x: np.round(np.abs(np.clip(x, -1, 1)) * 255).astype(np.uint8),
        ],
        "0.0 became 45, expected": [
            # what imshow does
            lambda x: np.round((x - x.min()) / np.ptp(x) * 255).astype(np.uint8),
        ],
    },
    "check_binomial": {
        "is not [1, 2, 1] times itself": [
            lambda size: np.ones((size, size)) / size**2,
            mean_gaussian,
        ],
        "binomial(4) must raise": [
            pascal,  # no error for an even size
            lambda size: pascal_checked(size, lambda n: n < 1),  # accepts 4
        ],
        "binomial(-3) must raise": [
            lambda size: pascal_checked(size, lambda n: n % 2 == 0),  # accepts -3
        ],
        "does not name it": [
            # does not name it
            lambda size: pascal_checked(size, lambda n: n < 1 or n % 2 == 0, "a bad size"),
        ],
        "sums to": [
            lambda size: pascal_checked(size, lambda n: n < 1 or n % 2 == 0) * 4,
            lambda size: pascal_checked(size, lambda n: n < 1 or n % 2 == 0)[:1] * 2,
        ],
        "gives the shape": [lambda size: pascal(3)],
    },
    "check_unsharp": {
        "it is not x + a (x - blur(x))": [
            lambda a: KERNELS["sharpen"],
            lambda a: delta_kernel + a * KERNELS["blur"],
            lambda a: delta_kernel - a * KERNELS["blur"],
            lambda a: delta_kernel + a * (KERNELS["blur"] - delta_kernel),
            lambda a: delta_kernel + a * KERNELS["edge"],
            lambda a: delta_kernel + (delta_kernel - KERNELS["blur"]),
            lambda a: (1 + a) * delta_kernel - a * np.ones((3, 3)) / 9,
            lambda a: np.eye(3) + a * (np.eye(3) - KERNELS["blur"]),
        ],
        "expected (3, 3)": [
            lambda a: np.pad(delta_kernel + a * (delta_kernel - KERNELS["blur"]), 1),
        ],
    },
}
