"""Wrong answers to the exercises of chapter 04, by words of the sentence that each must get."""

from math import ceil


def ported(outputs=lambda W, S: ceil(W / S), floor=0, first="smaller"):
    def padding(W, F, S):
        total = (outputs(W, S) - 1) * S + F - W
        total = total if floor is None else max(total, floor)
        small, large = total // 2, total - total // 2
        return (small, large) if first == "smaller" else (large, small)
    return padding


WRONG = {
    "check_zeros": {
        "give two numbers, (before, after)": [3, (1,), "12"],
        "the number is right": [(2, 1)],
        "share them as evenly as you can": [(0, 3), (3, 0)],
        "in all?": [(1, 1), (0, 1), (1, 3)],
    },
    "check_order": {
        "and not 6": ["ABCD", "ACBD", "CABD", "DCBA"],
        "does not fit into the": ["BDAC", list("DBCA")],
        "once, as in 'ABCD'": ["ABC", "ACDD", "acdb", 6],
    },
    "check_ported": {
        "the wrong way round": [ported(first="larger")],
        "not (0, 1)": [
            ported(outputs=lambda W, S: W // S), ported(outputs=lambda W, S: (W - 1) // S),
            lambda W, F, S: (F // 2, F // 2),  # PyTorch's habit
            lambda W, F, S: tuple(2 * n for n in ported()(W, F, S)),
            lambda W, F, S: (0, 0),
        ],
        "fewer than no zeros": [ported(floor=None)],
        "not (0, 0)": [
            lambda W, F, S: ((F - 1) // 2, F - 1 - (F - 1) // 2),  # right for stride 1 only
        ],
        "not (1, 1)": [lambda W, F, S: (0, sum(ported()(W, F, S)))],
    },
    "check_design": {
        "pixels, fewer than 28": [
            [(3, 1, 1)] * 5, [(3, 2, 1), (3, 2, 1), (3, 1, 1), (3, 1, 1)],
            [(3, 1, 1), (3, 2, 1), (3, 2, 1), (3, 1, 1), (3, 1, 1)][:4],
        ],
        "more than 4": [[(3, 2, 1)] * 4, [(3, 2, 1)] * 3 + [(3, 1, 1)]],
        "but fewer layers will do": [[(3, 1, 1)] * 14, [(3, 2, 1), (3, 2, 1)] + [(3, 1, 1)] * 4],
        "a list of (3, 1, 1) and (3, 2, 1) only": [
            [(5, 2, 1)] * 2 + [(3, 1, 1)] * 2, [(3, 2, 2), (3, 2, 1), (3, 1, 1), (3, 1, 1)],
        ],
    },
    "check_frames": {
        "reaches beyond the end": [
            lambda n: n // 160, lambda n: ceil(n / 160), lambda n: ceil(max(0, n - 400) / 160) + (n >= 400),
            lambda n: n // 160 - (n >= 400) if n >= 400 else 0,
        ],
        "hold no whole frame": [
            lambda n: (n - 400) // 160 + 1,  # right for all but the shortest
            lambda n: max(1, (n - 400) // 160 + 1), lambda n: 98 if n < 400 else (n - 400) // 160 + 1,
        ],
        "would fit": [
            lambda n: n // 400, lambda n: max(0, n - 400) // 160, lambda n: max(0, (n - 401) // 160 + 1), lambda n: 0,
            lambda n: 98 if 16_000 <= n <= 16_001 else 0,
        ],
        "not one whole number": [
            lambda n: max(0, (n - 400) / 160 + 1), lambda n: (n, 160), lambda n: True, lambda n: range(0, n - 399, 160),
        ],
        "raises": [lambda n: [][0], lambda n: range(0, n - 399, 160)[98] and 98],
    },
}
