"""Wrong answers that the checkers of chapter 03 must reject; the chapter's own names are in scope."""

from itertools import permutations


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
    return np.array([sum(w[j] * x[n - j] for j in range(len(w)) if n - j >= 0) for n in range(len(x))])


def forgets_a_tap(x, w):
    return np.array([sum(w[j] * x[n - j] for j in range(1, len(w))) for n in range(len(x))])


def tail_at_the_wrong_end(x, w):
    N, F = len(x), len(w)
    y = convolve1d(x, w)
    y[N - F + 1:N] += y[N:]
    return y[:N]


def digits(number):
    return [int(digit) for digit in str(number)]


def carried(a, b):
    return digits(a * b)


def carried_once(a, b):
    y = np.convolve(digits(a), digits(b))
    return [int(value) % 10 for value in y]


WRONG = {
    "check_on_paper": [
        None, [], 5, "12345", "Correct",
        [-1, -2, -2, 2, 3],  # cross-correlation
        [3, 2, -2, -2, -1],  # cross-correlation, the other way round
        [2, 2, -2],  # mode same
        [-2], [2],  # mode valid
        [1, 0, -3],  # entry by entry
        [-3, -2, 2, 2, 1],  # backwards
        [1, 2, 2, 2, 3],  # signs
        [1, 2, 2, -2, -3, 0],
        [1, 2, 4, 2, 3],  # kernel 1, 0, 1
        ["1", "2", "2", "-2", "-3"],
        [[1, 2, 2, -2, -3]],
        [1, 2, 2, -2, float("nan")],
    ],
    "check_by_weights": [
        None, "", "A", "DBA", "DBACC", "dbac", 36, [3, 6, 16, 36], "DBAB",
        *("".join(order) for order in permutations("ABCD") if "".join(order) != "DBAC"),
        ["D", "A", "B", "C"],  # by the white cells
    ],
    "check_turned": [
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
        lambda x, w: scipy.signal.convolve2d(x, w),
        lambda x, w: scipy.signal.convolve2d(x, w, "same"),
        lambda x, w: convolve2d(x, w).T,
        lambda x, w: convolve2d(x, w).ravel(),
        lambda x, w: np.round(convolve2d(x, w), 2),
        lambda x, w: None,
        changes_the_kernel, changes_the_image, turned_if_square, turned_if_odd,
    ],
    "check_wrap_around": [
        lambda x, w: convolve1d(x, w)[:len(x)],
        lambda x, w: np.convolve(x, w, "same"),
        lambda x, w: convolve1d(x, w),
        wrapped,  # no error
        refuse(lambda F, N: F >= N),  # refuses F = N
        refuse(larger, "kernel too long"), refuse(larger, "kernel {F}"), refuse(larger, "circle {N}"),
        refuse(lambda F, N: F > N + 2),  # too late
        refuse(larger, inner=circular_correlation), refuse(larger, inner=stops_at_the_edge),
        refuse(larger, inner=forgets_a_tap), refuse(larger, inner=tail_at_the_wrong_end),
        refuse(larger, inner=in_integers), refuse(larger, inner=in_place),
        refuse(larger, inner=lambda x, w: np.roll(wrapped(x, w), 1)),
        refuse(larger, inner=lambda x, w: np.roll(wrapped(x, w), -(len(w) // 2))),  # centred
        refuse(larger, inner=lambda x, w: wrapped(x, w[::-1])),
        refuse(larger, inner=lambda x, w: np.abs(wrapped(x, w))),
        refuse(larger, inner=lambda x, w: wrapped(x, w)[None]),
        refuse(larger, inner=lambda x, w: np.fft.fft(np.fft.fft(x) * np.fft.fft(w, len(x))).real / len(x)),
        refuse(larger, inner=lambda x, w: None),
    ],
    "check_column_sums": [
        carried, carried_once,
        lambda a, b: digits(a * b)[::-1],
        lambda a, b: np.convolve(digits(a), digits(b))[::-1].tolist(),  # lowest place first
        lambda a, b: np.correlate(digits(a), digits(b), "full").tolist(),
        lambda a, b: np.convolve(digits(a), digits(b), "same").tolist(),
        lambda a, b: np.convolve(digits(a), digits(b), "valid").tolist(),
        lambda a, b: np.convolve(np.array(digits(a), np.uint8), np.array(digits(b), np.uint8)).tolist(),
        lambda a, b: np.trim_zeros(np.convolve(digits(a), digits(b))).tolist(),
        lambda a, b: np.convolve(sorted(digits(a)), sorted(digits(b))).tolist(),
        lambda a, b: [0, *np.convolve(digits(a), digits(b)).tolist()],
        lambda a, b: np.outer(digits(a), digits(b)).tolist(),
        lambda a, b: "".join(map(str, np.convolve(digits(a), digits(b)))),
        lambda a, b: [4, 13, 22, 15],
        lambda a, b: a * b,
        lambda a, b: None,
    ],
}
