"""Wrong answers that the checkers of chapter 04 must reject; the chapter's own names are in scope."""

from math import ceil


def ported(outputs=lambda W, S: ceil(W / S), floor=0, first="smaller"):
    def padding(W, F, S):
        total = (outputs(W, S) - 1) * S + F - W
        total = total if floor is None else max(total, floor)
        small, large = total // 2, total - total // 2
        return (small, large) if first == "smaller" else (large, small)
    return padding


WRONG = {
    "check_zeros": [None, 3, (2, 1), (0, 3), (3, 0), (1, 1), (0, 1), (1, 3), (1,), "12", []],
    "check_order": ["ABCD", "ACBD", "CABD", "DCBA", "ABC", "ACDD", "", "acdb", 6],
    "check_ported": [
        ported(first="larger"),
        ported(outputs=lambda W, S: W // S),
        ported(outputs=lambda W, S: (W - 1) // S),
        ported(floor=None),
        lambda W, F, S: ((F - 1) // 2, F - 1 - (F - 1) // 2),  # right for stride 1 only
        lambda W, F, S: (F // 2, F // 2),  # PyTorch's habit
        lambda W, F, S: tuple(2 * n for n in ported()(W, F, S)),
        lambda W, F, S: (0, sum(ported()(W, F, S))),
        lambda W, F, S: (0, 0),
    ],
    "check_needed": [
        lambda outputs, F, S, D: outputs * S + F - 1,
        lambda outputs, F, S, D: (outputs - 1) * S + F,  # no dilation
        lambda outputs, F, S, D: (outputs - 1) * S + D * F,
        lambda outputs, F, S, D: (outputs - 1) * S + D * (F - 1) + S,  # fits, but is not the smallest
        lambda outputs, F, S, D: outputs + D * (F - 1),  # no stride
        lambda outputs, F, S, D: (outputs - 1) * S * D + D * (F - 1) + 1,
        lambda outputs, F, S, D: (outputs - 1) * S + D * (F - 1),
        lambda outputs, F, S, D: 0,
    ],
    "check_design": [
        [], [(3, 1, 1)] * 5, [(3, 2, 1)] * 4, [(3, 2, 1)] * 3 + [(3, 1, 1)],
        [(3, 1, 1)] * 14, [(3, 2, 1), (3, 2, 1), (3, 1, 1), (3, 1, 1)], [(5, 2, 1)] * 2 + [(3, 1, 1)] * 2,
        [(3, 2, 2), (3, 2, 1), (3, 1, 1), (3, 1, 1)], [(3, 1, 1), (3, 2, 1), (3, 2, 1), (3, 1, 1), (3, 1, 1)][:4],
        [(3, 2, 1), (3, 2, 1)] + [(3, 1, 1)] * 4,
    ],
}
