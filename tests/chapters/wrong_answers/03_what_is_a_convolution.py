"""Wrong answers to the exercises of chapter 03, by words of the sentence that each must get."""

from itertools import permutations

import numpy as np
import scipy.signal

from tools.book.definitions import definitions

CHAPTER = definitions("03")
convolve1d, convolve2d = CHAPTER["convolve1d"], CHAPTER["convolve2d"]
correlate2d = CHAPTER["correlate2d"]


def changes_the_kernel(x, w):
    w[:] = w[::-1, ::-1].copy()
    return correlate2d(x, w)


def changes_the_image(x, w):
    y = convolve2d(x, w)
    x -= x.mean()
    return y


def turned_if_square(x, w):
    return convolve2d(x, w) if w.shape[0] == w.shape[1] else correlate2d(x, w)


def turned_if_odd(x, w):
    return convolve2d(x, w) if w.shape[0] % 2 and w.shape[1] % 2 else correlate2d(x, w)


def wrapped(x, w):
    N, F = len(x), len(w)
    y = convolve1d(x, w)
    y[: F - 1] += y[N:]
    return y[:N]


def refuse(test, message="kernel {F}, circle {N}", error=ValueError, inner=wrapped):
    def answer(x, w):
        if test(len(w), len(x)):
            raise error(message.format(N=len(x), F=len(w)))
        return inner(x, w)
    return answer


def larger(F, N):
    return F > N


def in_integers(x, w):
    y = np.zeros_like(x)
    for n in range(len(x)):
        for j in range(len(w)):
            y[n] += int(w[j] * x[n - j])
    return y


def in_place(x, w):
    y = wrapped(x, w)
    w[:] = w[::-1].copy()
    return y


def circular_correlation(x, w):
    return np.array([sum(w[j] * x[(n + j) % len(x)] for j in range(len(w))) for n in range(len(x))])


def stops_at_the_edge(x, w):
    return np.convolve(x, w)[:len(x)]


def forgets_a_tap(x, w):
    return np.array([sum(w[j] * x[n - j] for j in range(1, len(w))) for n in range(len(x))])


def tail_at_the_wrong_end(x, w):
    N, F = len(x), len(w)
    y = convolve1d(x, w)
    y[N - F + 1:N] += y[N:]
    return y[:N]


def answer_to(box, *marks):
    """Return what the box makes of a black 5 x 5 image with {(row, column, brightness)} marks."""
    image = np.zeros((5, 5))
    for row, column, brightness in marks:
        image[row, column] = brightness
    return box(image)


def digits(number):
    return [int(digit) for digit in str(number)]


def carried(a, b):
    return digits(a * b)


def carried_once(a, b):
    y = np.convolve(digits(a), digits(b))
    return [int(value) % 10 for value in y]


WRONG = {
    "check_on_paper": {
        "replace None": ["12345", "Correct", ["1", "2", "2", "-2", "-3"]],
        "3 + 3 - 1": [
            5,
            [2, 2, -2],  # mode same
            [-2],
            [2],  # mode valid
            [1, 0, -3],  # entry by entry
            [1, 2, 2, -2, -3, 0], [[1, 2, 2, -2, -3]],
        ],
        "with no turn": [[-1, -2, -2, 2, 3]],  # cross-correlation
        "y[0] is not": [
            [3, 2, -2, -2, -1],  # cross-correlation, the other way round
            [-3, -2, 2, 2, 1],  # backwards
        ],
        "y[3] is not": [[1, 2, 2, 2, 3]],  # signs
        "y[2] is not": [[1, 2, 4, 2, 3]],  # kernel 1, 0, 1
        "y[4] is not": [[1, 2, 2, -2, float("nan")]],
    },
    "check_by_weights": {
        "use each of A, B, C, D once": [
            "A", "DBA", "DBACC", "dbac", 36, [3, 6, 16, 36], "DBAB",
        ],
        "Look along the diagonals": [
            *("".join(order) for order in permutations("ABCD") if "".join(order) != "DBAC"),
            ["D", "A", "B", "C"],  # by the white cells
        ],
    },
    "check_turned": {
        "wrong numbers for a kernel (3, 3)": [
            lambda x, w: correlate2d(x, w[::-1]),
            lambda x, w: correlate2d(x, w[:, ::-1]),
            lambda x, w: correlate2d(x, w),
            lambda x, w: correlate2d(x, w.T),
            lambda x, w: correlate2d(x, np.rot90(w)),
            lambda x, w: correlate2d(x, w[::-1, ::-1].T),
            lambda x, w: correlate2d(x[::-1, ::-1], w),  # the output lies upside down
            lambda x, w: correlate2d(x[::-1, ::-1], w[::-1, ::-1]),
            lambda x, w: convolve2d(x, -w),
            lambda x, w: np.abs(convolve2d(x, w)),
            lambda x, w: np.round(convolve2d(x, w), 2),
        ],
        " gives (": [
            lambda x, w: scipy.signal.convolve2d(x, w),
            lambda x, w: scipy.signal.convolve2d(x, w, "same"),
            lambda x, w: convolve2d(x, w).T,
            lambda x, w: convolve2d(x, w).ravel(),
        ],
        "it changes the caller's arrays": [changes_the_kernel, changes_the_image],
        "wrong numbers for a kernel (3, 2)": [turned_if_square, turned_if_odd],
    },
    "check_read_kernel": {
        "shape (5, 5); the kernel": [
            lambda box: answer_to(box, (2, 2, 1)),
            lambda box: answer_to(box, (2, 2, 1))[::-1, ::-1],
        ],
        "shape (3,": [
            lambda box: box(np.ones((3, 4)))[:, ::-1],
            lambda box: answer_to(box, (2, 2, 1))[2, 1:4],  # one row
        ],
        "shape (9,)": [lambda box: answer_to(box, (2, 2, 1))[3:0:-1, 3:0:-1].ravel()],
        "shape (2, 2)": [lambda box: answer_to(box, (2, 2, 1))[1:3, 1:3]],
        "that is what a dot shows": [lambda box: answer_to(box, (2, 2, 1))[1:4, 1:4]],
        "came out as": [
            lambda box: box(np.ones((3, 3))),
            lambda box: answer_to(box, (2, 2, 1))[1:4, 1:4].T,
            lambda box: answer_to(box, (2, 2, 1))[3:0:-1, 1:4],  # one axis only
            lambda box: answer_to(box, (2, 2, 1))[1:4, 3:0:-1],
            lambda box: np.rot90(answer_to(box, (2, 2, 1))[1:4, 1:4]),
            lambda box: answer_to(box, (2, 2, 255))[3:0:-1, 3:0:-1],  # white as a byte
            lambda box: answer_to(box, (2, 2, -1))[3:0:-1, 3:0:-1],
            lambda box: answer_to(box, (2, 3, 1))[3:0:-1, 3:0:-1],  # beside it
            lambda box: answer_to(box, (2, 2, 1))[2::-1, 2::-1],  # read beside it
            lambda box: answer_to(box, (2, 2, 1), (2, 3, 1))[3:0:-1, 3:0:-1],
            lambda box: np.abs(answer_to(box, (2, 2, 1))[3:0:-1, 3:0:-1]),
            lambda box: np.zeros((3, 3)),
        ],
        "the box takes one image": [lambda box: box(np.zeros((1, 5, 5, 1)))],
    },
    "check_wrap_around": {
        "complex numbers": [refuse(larger, inner=lambda x, w: np.fft.ifft(np.fft.fft(x) * np.fft.fft(w, len(x))))],
        "gives": [
            lambda x, w: convolve1d(x, w)[:len(x)],
            lambda x, w: np.convolve(x, w, "same"),
            lambda x, w: convolve1d(x, w),
            refuse(larger, inner=circular_correlation), refuse(larger, inner=stops_at_the_edge),
            refuse(larger, inner=forgets_a_tap), refuse(larger, inner=tail_at_the_wrong_end),
            refuse(larger, inner=in_integers),
            refuse(larger, inner=lambda x, w: np.roll(wrapped(x, w), 1)),
            refuse(larger, inner=lambda x, w: np.roll(wrapped(x, w), -(len(w) // 2))),  # centred
            refuse(larger, inner=lambda x, w: wrapped(x, w[::-1])),
            refuse(larger, inner=lambda x, w: np.abs(wrapped(x, w))),
            refuse(larger, inner=lambda x, w: wrapped(x, w)[None]),
            refuse(larger, inner=lambda x, w: np.fft.fft(  # forward twice
                np.fft.fft(x) * np.fft.fft(w, len(x))).real / len(x)),
        ],
        "N=11, F=13 must raise a ValueError": [
            wrapped,  # no error
            refuse(lambda F, N: F > N + 2),  # too late
        ],
        "raises ValueError: kernel 4, circle 4": [refuse(lambda F, N: F >= N)],  # refuses F = N
        "kernel too long, and does not name": [
            refuse(larger, "kernel too long"),
        ],
        "kernel 13, and does not name": [refuse(larger, "kernel {F}")],
        "circle 11, and does not name": [refuse(larger, "circle {N}")],
        "it changes the caller's arrays": [refuse(larger, inner=in_place)],
        "returns None": [refuse(larger, inner=lambda x, w: None)],
    },
    "check_column_sums": {
        "gives": [
            carried, carried_once,
            lambda a, b: digits(a * b)[::-1],
            lambda a, b: np.convolve(digits(a), digits(b))[::-1].tolist(),  # lowest place first
            lambda a, b: np.correlate(digits(a), digits(b), "full").tolist(),
            lambda a, b: np.convolve(*(np.array(digits(n), np.uint8) for n in (a, b))).tolist(),
            lambda a, b: np.convolve(sorted(digits(a)), sorted(digits(b))).tolist(),
        ],
        "columns": [
            lambda a, b: np.convolve(digits(a), digits(b), "same").tolist(),
            lambda a, b: np.convolve(digits(a), digits(b), "valid").tolist(),
            lambda a, b: np.trim_zeros(np.convolve(digits(a), digits(b))).tolist(),
            lambda a, b: [0, *np.convolve(digits(a), digits(b)).tolist()],
            lambda a, b: np.outer(digits(a), digits(b)).tolist(),
            lambda a, b: [4, 13, 22, 15],
            lambda a, b: a * b,
        ],
        "not numbers": [lambda a, b: "".join(map(str, np.convolve(digits(a), digits(b))))],
    },
}
