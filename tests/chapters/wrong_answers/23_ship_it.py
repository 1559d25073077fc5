"""Wrong answers to the exercises of chapter 23, by words of the sentence that each must get."""

import json

import numpy as np


def page(acc, m, zero, relu, low=None):
    """What the page does, as floats before they are clipped at `low`."""
    return np.clip(np.floor(acc * m + 0.5) + zero, (zero if relu else -128) if low is None else low, 127)


def to_even(acc, m, zero, relu):
    return np.clip(np.round(acc * m) + zero, zero if relu else -128, 127).astype(np.int8)


def away_from_zero(acc, m, zero, relu):
    return np.clip(np.sign(acc * m) * np.floor(np.abs(acc * m) + 0.5) + zero, zero if relu else -128, 127).astype(np.int8)


def sums_in_place(acc, m, zero, relu):
    result = page(acc, m, zero, relu).astype(np.int8)
    acc[...] = 0
    return result


def in_place(q, scale, zero):
    value = np.float32(scale) * (q.astype(np.float32) - zero)
    q[...] = 0
    return value


def packed(q, first=1, second=16):
    four = q.astype(int) % 16
    return (first * four[::2] + second * four[1::2]).astype(np.uint8)


def pack_in_place(q):
    result = packed(q)
    q[...] = 0
    return result


def start_of(data):
    return 8 + int.from_bytes(data[:8], "little")


def ends_of(data):
    header = json.loads(data[8:start_of(data)])
    return [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]


def guarded(judge, otherwise=False):
    """Return `judge` so that it says `otherwise` where it raises."""
    def guarded_judge(data):
        try:
            return judge(data)
        except Exception:
            return otherwise
    return guarded_judge


WRONG = {
    "check_file_order": {
        "use each of A to E once": ["ABCD", "AABCD", "ABCDEF", "", 3, ["A", "B"]],
        "A stands before C": ["ACEBD", list("AEBDC")],
        "E stands before A": ["CEABD", "C, E, A, B, D"],
        "B stands before E": ["CABED", np.array([*"CABED"])],
        "D stands before B": ["CAEDB"],
    },
    "check_to_int8": {
        "the page has": [
            to_even, away_from_zero,
            lambda acc, m, zero, relu: page(acc, m, zero, relu, -128).astype(np.int8),
            lambda acc, m, zero, relu: page(acc, m, zero, relu, max(0, zero) if relu else -128).astype(np.int8),
            lambda acc, m, zero, relu: page(acc, m, zero, relu, zero).astype(np.int8),
            lambda acc, m, zero, relu: page(acc, m, zero, relu, -127 if not relu else zero).astype(np.int8),
            lambda acc, m, zero, relu: np.clip(page(acc, m, 0, relu) + zero, -128, 127).astype(np.int8),
            lambda acc, m, zero, relu: (np.floor(acc * m + 0.5) + zero).astype(np.int64).astype(np.int8),
            lambda acc, m, zero, relu: np.clip(np.floor(acc * m) + zero, zero if relu else -128, 127).astype(np.int8),
            lambda acc, m, zero, relu: np.clip(np.floor((acc + zero) * m + 0.5), zero if relu else -128, 127).astype(np.int8),
            lambda acc, m, zero, relu: np.minimum(page(acc, m, zero, relu), 126).astype(np.int8),
            lambda acc, m, zero, relu: page(acc, m * 1.2, zero, relu).astype(np.int8),
            lambda acc, m, zero, relu: page(acc.astype(np.int16), m, zero, relu).astype(np.int8),
            lambda acc, m, zero, relu: page(acc.astype(np.float32), np.float32(m), zero, relu).astype(np.int8),
        ],
        "it changed the array": [sums_in_place],
        "not int8": [page, lambda acc, m, zero, relu: page(acc, m, zero, relu).astype(int)],
        "give the shape": [lambda acc, m, zero, relu: page(acc, m, zero, relu).astype(np.int8).ravel()[:1], lambda acc, m, zero, relu: np.int8(3)],
        "your function raises": [lambda acc, m, zero, relu: int(acc), lambda acc, m, zero, relu: page(acc[:, 0], m, zero, relu)],
    },
    "check_dequantise": {
        "An int8 less an int8 is an int8": [
            lambda q, scale, zero: scale * (q - zero), lambda q, scale, zero: (q - np.int8(zero)) * np.float32(scale),
        ],
        "that should be": [
            lambda q, scale, zero: scale * q.astype(float) - zero, lambda q, scale, zero: scale * (q.astype(float) + zero),
            lambda q, scale, zero: (q.astype(float) - zero) / scale, lambda q, scale, zero: q.astype(float) - zero,
            lambda q, scale, zero: scale * (zero - q.astype(float)), lambda q, scale, zero: np.round(scale * (q.astype(float) - zero)),
            lambda q, scale, zero: scale * np.abs(q.astype(float) - zero), lambda q, scale, zero: scale * (q.astype(float) - min(zero, 0)),
        ],
        "numbers": [lambda q, scale, zero: 3, lambda q, scale, zero: scale * (q.astype(float) - zero).ravel()[:2],
                    lambda q, scale, zero: (scale * (q.astype(float) - zero)).ravel(), lambda q, scale, zero: scale * (q.astype(float) - zero) + 1j],
        "it changed the array": [in_place],
        "your function raises": [lambda q, scale, zero: q.dequantise(), lambda q, scale, zero: scale * (q.astype(float) - zero) if q.ndim == 1 else q["x"]],
    },
    "check_is_whole": {
        "is not whole": [
            guarded(lambda data: len(data) == start_of(data) + max([e["data_offsets"][1] for n, e in dict(json.loads(data[8:start_of(data)])).items() if n != "__metadata__"], default=0)),
            lambda data: True, lambda data: len(data) >= 8, guarded(lambda data: len(data) >= start_of(data), True),
            guarded(lambda data: isinstance(json.loads(data[8:start_of(data)]), dict)),
            guarded(lambda data: len(data) >= start_of(data) + max(ends_of(data), default=0)),
            guarded(lambda data: len(data) == start_of(data) + max(ends_of(data), default=0), True),
        ],
        "is whole": [
            lambda data: False, guarded(lambda data: len(data) == start_of(data) + max(ends_of(data))),
            guarded(lambda data: len(data) == start_of(data) + ends_of(data)[-1]),
            guarded(lambda data: len(data) < start_of(data) + max(ends_of(data), default=0)),
            guarded(lambda data: len(data) == start_of(data) + max(e["data_offsets"][1] for e in json.loads(data[8:start_of(data)]).values())),
        ],
        "your function raises": [lambda data: len(data) == start_of(data) + max(ends_of(data), default=0), lambda data: json.loads(data)],
        "not True or False": [lambda data: 2, lambda data: [True, False], lambda data: len(data)],
    },
    "check_pack": {
        "the first belongs in the low bits": [lambda q: packed(q, 16, 1)],
        "give [": [
            lambda q: (q[::2] + 16 * q[1::2]).astype(np.uint8), lambda q: packed(np.abs(q)), lambda q: packed(q.astype(int) + 8),
            lambda q: packed(q, 1, 8), lambda q: packed(np.sort(q)), lambda q: packed(q % 8), lambda q: packed(q, 1, 0),
            lambda q: packed(q[::-1])[::-1],
            lambda q: packed(np.concatenate([q[:len(q) // 2, None], q[len(q) // 2:, None]], axis=1).ravel()),
            lambda q: (packed(q).astype(int) % 128).astype(np.uint8),
        ],
        "not uint8": [lambda q: packed(q).astype(int), lambda q: packed(q).view(np.int8)],
        "give the shape": [lambda q: q.astype(np.uint8), lambda q: packed(q)[:-1], lambda q: np.uint8(1), lambda q: packed(q)[None]],
        "it changed the array": [pack_in_place],
        "your function raises": [lambda q: packed(q.reshape(1, -1)).nibbles, lambda q: packed(q) if len(q) else q[0]],
    },
}
