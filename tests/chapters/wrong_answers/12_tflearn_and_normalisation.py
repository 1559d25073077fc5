"""Wrong answers to the exercises of chapter 12, by words of the sentence that each must get."""

import numpy as np

right_numbers = {"rate": 0.25, "L2": 0.002, "size": 5, "alpha": 0.001}


def with_window(x, radius, window):
    """Return LRN whose sum runs over the channels that window(c, radius, C) gives."""
    C = x.shape[-1]
    s = np.stack([np.sum(x[..., window(c, radius, C)] ** 2, axis=-1) for c in range(C)], axis=-1)
    return x / np.sqrt(1 + s)


def plain(c, radius, C):
    return slice(max(c - radius, 0), c + radius + 1)


def in_place(x, radius):
    y = with_window(x, radius, plain)
    x[...] = y
    return x


def scale(gamma, variance, epsilon):
    return gamma / np.sqrt(variance + epsilon)


WRONG = {
    "check_translation": {
        "Keras drops what": [
            {"rate": 0.75, "L2": 0.004, "size": 2, "alpha": 0.0002},  # copied
            {**right_numbers, "rate": 0.75}, {**right_numbers, "rate": "0.25"},
        ],
        "a dict with the keys": [
            [0.25, 0.002, 5, 0.001], {k: v for k, v in right_numbers.items() if k != "alpha"},
        ],
        "has a half in it": [{**right_numbers, "L2": 0.004}, {**right_numbers, "L2": 0.008}],
        "2 r + 1 channels": [{**right_numbers, "size": 2}, {**right_numbers, "size": 4}],
        "divides alpha by the size": [
            {**right_numbers, "alpha": 0.0002}, {**right_numbers, "alpha": 0.0002 / 5},
            {**right_numbers, "alpha": float("nan")},
        ],
    },
    "check_pixel": {
        "four numbers, not the shape": [
            [1 / 3, 2 / 5, 2 / 5], [np.nan] * 4, [[1 / 3, 2 / 5, 2 / 5, 4 / 24**0.5]],
        ],
        "give four numbers": ["1/3"],
        "channel 0 is not": [
            [0, 0, 0, 0],
            [1 / 5, 2 / 5, 2 / 5, 4 / 5],  # every channel sees all
            [1 / 9, 2 / 25, 2 / 25, 4 / 24],  # no square root
            [1 / 3**0.5, 2 / (25 / 4) ** 0.5, 2 / (25 / 4) ** 0.5, 4 / 8**0.5],  # means
            [1 / 5**0.5, 2 / 3, 2 / 24**0.5, 4 / 20**0.5],  # radius 1
            [1 / 10**0.5, 2 / 26**0.5, 2 / 26**0.5, 4 / 25**0.5],  # bias 1
        ],
        "channel 3 is not": [[1 / 3, 2 / 5, 2 / 5, 4 / 5]],
    },
    "check_rolled": {
        "radius 1: channel 0 is wrong": [
            lambda x, r: x / np.sqrt(  # a ring of channels
                1 + sum(np.roll(x, i, axis=-1) ** 2 for i in range(-r, r + 1))),
            # only before
            lambda x, r: with_window(x, r, lambda c, r, C: slice(max(c - r, 0), c + 1)),
            # negative start
            lambda x, r: with_window(x, r, lambda c, r, C: slice(c - r, c + r + 1)),
            # another axis
            lambda x, r: with_window(x.transpose(0, 3, 2, 1), r, plain).transpose(0, 3, 2, 1),
        ],
        "radius 0: channel 0 is wrong": [
            # one short
            lambda x, r: with_window(x, r, lambda c, r, C: slice(max(c - r, 0), c + r)),
            lambda x, r: with_window(x, r, lambda c, r, C: slice(0, C)),  # all channels
            lambda x, r: with_window(x, r, plain) ** 1 * np.sqrt(2),
            lambda x, r: x / (1 + (x / with_window(x, r, plain)) ** 2 - 1),  # no root
            lambda x, r: x,
        ],
        "channels give the shape": [
            lambda x, r: with_window(x, r, plain)[..., r:-r or None],  # cuts the border off
        ],
        "radius 3: channel 0 is wrong": [lambda x, r: with_window(x, min(r, 1), plain)],
        "your function changes its input": [in_place],
    },
    "check_lines": {
        "line A comes too early": ["ABCDE", "EBADC", "AEBDC"],
        "use each of the letters A to E once": ["EBDA", "EBDACC", "eBDAC"],
        "line B comes too early": ["BEDAC"],
        "line C comes too early": ["CEBDA"],
        "line D comes too early": ["EDBAC"],
    },
    "check_merge": {
        "the weights are off": [
            lambda w, b, g, be, m, v, e: (w * g, b + be),
            # no epsilon
            lambda w, b, g, be, m, v, e: (w * scale(g, v, 0), (b - m) * scale(g, v, 0) + be),
            lambda w, b, g, be, m, v, e: (w * g / (v + e), (b - m) * g / (v + e) + be),  # no root
            lambda w, b, g, be, m, v, e: (w * g / (v**0.5 + e), (b - m) * g / (v**0.5 + e) + be),
            lambda w, b, g, be, m, v, e: (w, (b - m) * scale(g, v, e) + be),
            lambda w, b, g, be, m, v, e: (w * scale(g, v, 0.1), (b - m) * scale(g, v, 0.1) + be),
        ],
        "you changed the arrays": [
            lambda w, b, g, be, m, v, e: (
                w.__imul__(scale(g, v, e)), (b - m) * scale(g, v, e) + be),
        ],
        "w is right, b is not. b is normalised too": [
            lambda w, b, g, be, m, v, e: (w * scale(g, v, e), b + be),
            lambda w, b, g, be, m, v, e: (w * scale(g, v, e), b * scale(g, v, e) + be),  # no mean
            # b not scaled
            lambda w, b, g, be, m, v, e: (w * scale(g, v, e), b - m * scale(g, v, e) + be),
            lambda w, b, g, be, m, v, e: (w * scale(g, v, e), (b + m) * scale(g, v, e) + be),
            lambda w, b, g, be, m, v, e: (w * scale(g, v, e), (b - m) * scale(g, v, e)),
        ],
        "Python says ValueError": [lambda w, b, g, be, m, v, e: w * scale(g, v, e)],
        "has the shape": [lambda w, b, g, be, m, v, e: (w[..., :1] * scale(g, v, e)[:1], b)],
    },
}
