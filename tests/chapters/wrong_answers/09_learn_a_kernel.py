"""Wrong answers to the exercises of chapter 09, by words of the sentence that each must get."""

import numpy as np


def channel_by_channel(rgb, grey):
    return np.array([np.sum(rgb[..., c] * grey) / np.sum(rgb[..., c] ** 2) for c in range(3)])


def summing_to_one(rgb, grey):
    w = np.linalg.lstsq(rgb.reshape(-1, 3), grey.ravel(), rcond=None)[0]
    return w / w.sum()


def few_steps(rgb, grey):
    P, w = rgb.reshape(-1, 3), np.zeros(3)
    for _ in range(200):
        w = w - 0.5 * P.T @ (P @ w - grey.ravel()) / len(P)
    return w


def secret(rgb, grey):
    return np.linalg.lstsq(rgb.reshape(-1, 3), grey.ravel(), rcond=None)[0]


def slope(P, target, w):
    return 2 * P.T @ (P @ w - target)


def trained(divide, step=np.subtract):
    """Return exercise 3 with slopes of the sum of squares divided by divide(P)."""
    def train(P, target, w, rate, steps):
        for _ in range(steps):
            w = step(w, rate * slope(P, target, w) / divide(P))
        return w
    return train


def in_place(P, target, w, rate, steps):
    for _ in range(steps):
        w -= rate * slope(P, target, w) / len(P)
    return w


def one_window_at_a_time(P, target, w, rate, steps):
    for _ in range(steps):
        for row, goal in zip(P, target):
            w = w - rate * 2 * row * (row @ w - goal) / len(P)
    return w


def rolled(renew, move=lambda w, v, old: w + v):
    """Return exercise 4 with renew(v, rate * dw) and move(w, v, v before)."""
    def roll(P, target, w, rate, steps):
        v = np.zeros_like(w)
        for _ in range(steps):
            old, v = v, renew(v, rate * slope(P, target, w) / len(P))
            w = move(w, v, old)
        return w
    return roll


def looked_ahead(P, target, w, rate, steps):
    v = np.zeros_like(w)
    for _ in range(steps):
        v = 0.9 * v - rate * slope(P, target, w + 0.9 * v) / len(P)
        w = w + v
    return w


def speed_forgotten(P, target, w, rate, steps):
    for _ in range(steps):
        v = np.zeros_like(w)
        v = 0.9 * v - rate * slope(P, target, w) / len(P)
        w = w + v
    return w


WRONG = {
    "check_rank": {
        "replace None by a number": ["3", "three", [3, 3], [None]],
        "9 needs windows whose rows can differ": [9, np.array([9])],
        "1 is for a flat wall": [1],
        "Which of the nine numbers are copies?": [2, 6, 40, 0, -3, 3.5],
    },
    "check_lessons": {
        "make a list of A, B, C and D, each once": [
            ["C", "A", "D"], ["C", "A", "D", "B", "B"], "CADC", "C, A, D, B", 5, [1, 2, 3, 4],
        ],
        "the next one is rounder": [
            ["A", "B", "C", "D"], "abcd", np.array(["A", "B", "C", "D"]),
            ["B", "D", "A", "C"],  # slowest first
            ["C", "A", "B", "D"], ["A", "C", "D", "B"], ["C", "D", "A", "B"],
            ["C", "B", "A", "D"],  # blur taken for harmless
        ],
    },
    "check_train": {
        "the weights explode": [
            trained(lambda P: 1),  # the sum
            trained(lambda P: 1, np.add),  # uphill
            trained(lambda P: P.shape[1]),  # the mean over the weights
            trained(lambda P: len(P) ** 0.5 * 5**0.5),  # right for 5
            trained(lambda P: min(len(P), 40)),  # right for 5 and for 40
        ],
        "windows give": [
            trained(len, np.add),  # uphill
            trained(lambda P: P.size),
            trained(lambda P: 2 * len(P)),
            trained(lambda P: len(P) - 1),
            trained(lambda P: max(len(P), 6)),  # right for many
            one_window_at_a_time,
            lambda P, target, w, rate, steps: trained(len)(P, target, w, rate, steps - 1),
            lambda P, target, w, rate, steps: np.linalg.lstsq(P, target, rcond=None)[0],
            lambda P, target, w, rate, steps: w,
        ],
        "the caller's w has changed": [in_place],
        "the shape is": [
            lambda P, target, w, rate, steps: trained(len)(P, target, w, rate, steps)[None],
            lambda P, target, w, rate, steps: trained(len)(P, target, w, rate, steps)[:1],
        ],
    },
    "check_roll": {
        "step 1 ends": [
            lambda P, target, w, rate, steps: w,
            rolled(lambda v, move: 0.9 * v + move),  # uphill
            rolled(lambda v, move: 0.9 * v - move, lambda w, v, old: w - v),
            rolled(lambda v, move: 0.9 * v - move, lambda w, v, old: w + old),  # moves by the old speed
            rolled(lambda v, move: 0.9 * v - 0.1 * move),  # a running mean
            rolled(lambda v, move: 0.9 * (v - move)),
            lambda P, target, w, rate, steps: rolled(lambda v, move: 0.9 * v - move)(P, target, w, rate, steps + 1),
        ],
        "step 2 ends": [
            rolled(lambda v, move: -move), speed_forgotten, looked_ahead,
            rolled(lambda v, move: v - move),  # never slows down
            rolled(lambda v, move: 0.5 * v - move),
        ],
        "step 7 ends": [
            lambda P, target, w, rate, steps: rolled(lambda v, move: 0.9 * v - move)(P, target, w, rate, min(steps, 2)),
        ],
        "the shape is": [
            lambda P, target, w, rate, steps: rolled(lambda v, move: 0.9 * v - move)(P, target, w, rate, steps)[None],
        ],
    },
    "check_secret_weights": {
        "was the secret, you found": [
            lambda rgb, grey: np.array([1, 1, 1]) / 3,
            lambda rgb, grey: np.array([0.299, 0.587, 0.114]),
            lambda rgb, grey: secret(rgb, grey)[::-1],  # blue, green, red
            lambda rgb, grey: secret(rgb - rgb.mean(), grey),  # the mean taken from one side only
            lambda rgb, grey: secret(rgb[:1, :2], grey[:1, :2]),  # two pixels for three weights
            lambda rgb, grey: np.abs(secret(rgb, grey)),
            # the axes mixed up
            lambda rgb, grey: np.linalg.lstsq(rgb.reshape(3, -1).T, grey.ravel(), rcond=None)[0],
            lambda rgb, grey: (grey[..., None] / rgb).mean(axis=(0, 1)) / 3,
            channel_by_channel, summing_to_one, few_steps,
        ],
        "expected (3,)": [lambda rgb, grey: secret(rgb, grey)[:, None]],
    },
}
