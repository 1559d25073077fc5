"""Wrong answers that the checkers of chapter 02 must reject; the chapter's own names are in scope."""

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
    "check_corner": [None, 1, 5, 4, 2, 9 / 16, -3, "3"],
    "check_names": [
        five, five[:4], five + ["blur"], [], right_order[::-1],
        ["top Sobel", "blur", "sharpen", "edge", "emboss"],  # the two whose middle is 1
        ["edge", "blur", "emboss", "top Sobel", "sharpen"],  # the two whose middle is 0
        ["emboss", "blur", "top Sobel", "edge", "sharpen"],  # the two that lean
        ["top Sobel", "sharpen", "emboss", "edge", "blur"],
    ],
    "check_to_bytes": [
        lambda x: (x * 255).astype(int).astype(np.uint8),
        lambda x: np.clip(x * 255, 0, 255),  # floats
        lambda x: (np.clip(x, 0, 1) * 255).astype(np.uint8),  # cut off, not rounded
        lambda x: np.round(np.clip(x, 0, 1) * 256).astype(int).astype(np.uint8),
        lambda x: np.round(np.abs(np.clip(x, -1, 1)) * 255).astype(np.uint8),
        lambda x: np.round(np.minimum(x, 1) * 255).astype(int).astype(np.uint8),
        lambda x: np.round((x - x.min()) / np.ptp(x) * 255).astype(np.uint8),  # what imshow does
        lambda x: np.round(np.clip(x, 0, 1) * 255).astype(np.uint8).ravel(),
        lambda x: np.zeros_like(x, dtype=np.uint8),
    ],
    "check_binomial": [
        lambda size: np.ones((size, size)) / size**2,
        pascal,  # no error for an even size
        lambda size: pascal_checked(size, lambda n: n % 2 == 0),  # accepts -3
        lambda size: pascal_checked(size, lambda n: n < 1),  # accepts 4
        lambda size: pascal_checked(size, lambda n: n < 1 or n % 2 == 0, "a bad size"),  # does not name it
        lambda size: pascal_checked(size, lambda n: n < 1 or n % 2 == 0) * 4,
        lambda size: pascal_checked(size, lambda n: n < 1 or n % 2 == 0)[:1] * 2,
        lambda size: pascal(3),
        mean_gaussian,
    ],
    "check_unsharp": [
        lambda a: KERNELS["sharpen"],
        lambda a: delta_kernel + a * KERNELS["blur"],
        lambda a: delta_kernel - a * KERNELS["blur"],
        lambda a: delta_kernel + a * (KERNELS["blur"] - delta_kernel),
        lambda a: delta_kernel + a * KERNELS["edge"],
        lambda a: delta_kernel + (delta_kernel - KERNELS["blur"]),
        lambda a: (1 + a) * delta_kernel - a * np.ones((3, 3)) / 9,
        lambda a: np.eye(3) + a * (np.eye(3) - KERNELS["blur"]),
        lambda a: np.pad(delta_kernel + a * (delta_kernel - KERNELS["blur"]), 1),
    ],
}

delta_kernel = np.array([[0, 0, 0], [0, 1, 0], [0, 0, 0]])
