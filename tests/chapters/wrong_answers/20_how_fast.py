"""Wrong answers to the exercises of chapter 20, by words of the sentence that each must get."""

import numpy as np


def staged(warm=1, pick=np.median, order="ab", of=None):
    """Return a benchmark that warms up `warm` times and then picks from its rounds."""
    def how_many_times(a, b, clock, rounds):
        ways = {"a": a, "b": b}
        seconds = {"a": [], "b": []}
        for _ in range(rounds + warm):
            for name in order:
                begin = clock()
                ways[name]()
                seconds[name].append(clock() - begin)
        first, then = (np.array(seconds[name][warm:warm + rounds]) for name in "ab")
        return of(first, then) if of else pick(first / then)
    return how_many_times


def in_blocks(a, b, clock, rounds):
    medians = []
    for way in a, b:
        seconds = []
        for _ in range(rounds + 1):
            begin = clock()
            way()
            seconds.append(clock() - begin)
        medians.append(np.median(seconds[1:]))
    return medians[0] / medians[1]


def counts_all(a, b, clock, rounds):
    """Take turns, with a warm-up that counts."""
    ratios = []
    for _ in range(rounds + 1):
        seconds = []
        for way in a, b:
            begin = clock()
            way()
            seconds.append(clock() - begin)
        ratios.append(seconds[0] / seconds[1])
    return np.median(ratios) if len(ratios) % 2 else np.mean(ratios)


def count(work=2.0, weights=1, maps=1, images=1, size=True):
    """Return an arithmetic intensity with other factors."""
    def arithmetic_intensity(N, side, C, F, K, bytes_):
        w = F**2 * C * K
        numbers = images * N * side**2 * C + w * (N if weights == "N" else weights) + maps * N * side**2 * K
        return work * N * side**2 * w / (numbers * (bytes_ if size else 1))
    return arithmetic_intensity


WRONG = {
    "check_crossings": {
        "windows need 49 at 7": [(7, 15), [7, 37], np.array([7, 37])],
        "at 9 windows need 81 already": [(11, 37), (11, 15)],
        "two thin kernels need 70 at 35": [(9, 35), [9, 35]],
        "two thin kernels need 30 at 15": [(9, 15)],
        "at 37 the thin ones need 74": [(9, 39), np.array([9, 39])],
        "the sides of the kernels are odd here": [(9, 36), (8, 37), (10, 38)],
        "give two whole numbers": [9, (9,), (9, 37, 1), (9, 37.5), (float("nan"), 37), (float("inf"), 37), (-9, 37), "9 37", (True, 37), {9, 37}, np.array(9), (0, 37)],
    },
    "check_intensity_order": {
        "C does 16 operations a byte, A 0.5": ["CADB", "CABD", list("CABD"), np.array(list("CABD"))],
        "B does 42 operations a byte, C 16": ["ABCD", "abcd", "A B C D"],
        "D does 1.3e+02 operations a byte, B 42": ["ACDB"],
        "D does 1.3e+02 operations a byte, C 16": ["DCBA", "ABDC"][:1],
        "B does 42 operations a byte, A 0.5": ["BACD"],
        "use each of A to D once": ["ABC", "ABCDD", "ABCE", 4, np.array(3), {"A": 1}, "A;B;C;D", [np.array([1, 2])]],
    },
    "check_how_many_times": {
        "they do not take turns": [in_blocks],
        "calls of each": [staged(warm=0), staged(warm=2), lambda a, b, clock, rounds: 2, staged(order="abb")],
        "with a warm-up of a it shall be 2": [
            counts_all, staged(pick=lambda r: 1 / np.median(r)), staged(pick=np.argmax), staged(pick=lambda r: r),
            staged(of=lambda a, b: np.median(a) - np.median(b)),
        ],
        "with one disturbed call it shall be 2": [
            staged(pick=np.mean), staged(of=lambda a, b: a.sum() / b.sum()), staged(pick=np.max), staged(of=lambda a, b: a.mean() / b.mean()),
        ],
        "with neighbours in two of three rounds it shall be 4": [
            staged(of=lambda a, b: np.median(a) / np.median(b)), staged(of=lambda a, b: a.min() / b.min()), staged(pick=np.min),
        ],
        "with an even number of rounds it shall be 3": [
            staged(pick=lambda r: np.sort(r)[len(r) // 2]), staged(pick=lambda r: np.sort(r)[1:-1].mean()),
        ],
        "raises": [lambda a, b, clock, rounds: a() / b(), lambda a, b: 2],
    },
    "check_arithmetic_intensity": {
        "a multiply-add is two operations": [count(work=1)],
        "count bytes, not numbers": [count(size=False)],
        "the work is for all images": [lambda N, side, C, F, K, size: count()(N, side, C, F, K, size) / N],
        "the weights are read once for all images": [count(weights="N")],
        "the maps that come out must be written": [count(maps=0)],
        "it is": [count(images=0), count(weights=0), count(work=3), lambda N, side, C, F, K, size: 7.0],
        "give one number": [lambda *six: [1.0, 2.0], lambda *six: 1j],
        "your function": [lambda N: 3, lambda *six: "3", lambda *six: 1 / 0],
    },
    "check_epoch": {
        "that is the way forward alone": [27.5, "27.5", np.float32(27.5), 27.6],
        "that is the way back alone": [55, 55.2],
        "a multiply-add is two operations": [41.25],
        "a step reaches 40 % of the peak only": [33, 33.0],
        "two operations, and the way back as well": [13.75],
        "the way back, and 40 % of the peak only": [11],
        "operations of all images, over operations a second": [82, 83, 60.0, 0, -82.5, 0.0015, 1e12, float("nan"), float("inf"), 66, True],
        "give one number of seconds": ["a minute", None, 10**400, [82.5, 1], {}],
    },
}
