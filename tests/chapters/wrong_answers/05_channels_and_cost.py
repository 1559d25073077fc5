"""Wrong answers to the exercises of chapter 05, by words of the sentence that each must get."""

import numpy as np

right_counts = {"maps": 40, "kernels": 640, "weights": 5_760, "biases": 40}


def by_hand(x, w, b, start=0.0, once=1, every=0, step=lambda old, new: old + new,
            order=lambda c, k: (c, k)):
    """Return the layer with its mistakes as arguments.

    The bias comes `once` after the loop over channels, and `every` time inside it.
    """
    FH, FW, C, K = w.shape
    y = np.full((x.shape[0] - FH + 1, x.shape[1] - FW + 1, K), start)
    for i, j, k in np.ndindex(y.shape):
        for c in range(C):
            patch = x[i:i + FH, j:j + FW, c]
            kernel = w[:, :, *order(c, k)]
            y[i, j, k] = step(y[i, j, k], np.sum(patch * kernel) + every * b[k])
        y[i, j, k] += once * b[k]
    return y


def changes_input(x, w, b):
    y = by_hand(x, w, b)
    x *= 2
    return y


def right_count(F, C, K, g):
    return F * F * (C // g) * K + K


def grouped(count=right_count, low=lambda g: g < 1, sizes="CK",
            message="{0} groups do not divide {1}"):
    """Return exercise 4 with its mistakes as arguments."""
    def count_grouped(F, C, K, groups):
        if low(groups):
            raise ValueError(f"groups is {groups}")
        for name, size in ("C", C), ("K", K):
            if name in sizes and size % groups:
                raise ValueError(message.format(groups, size))
        return count(F, C, K, groups)
    return count_grouped


def widest(C, cost, share=8):
    return max(B for B in range(1, C + 1) if share * cost(C, B) <= 9 * C * C)


def three(C, B):
    return 2 * C * B + 9 * B * B


def bill(image=1, outputs=1, pools=1, top=1, kernel=9, halve=True, flatten=True, out=tuple):
    """Return exercise 5 with its mistakes as arguments: how often each kind of value counts."""
    def audit(side, C, blocks, dense):
        weights, values = 0, image * side * side * C
        for block in blocks:
            for K in block:
                weights += kernel * C * K
                values += outputs * side * side * K
                C = K
            side = side // 2 if halve else side
            values += pools * side * side * C
        C = side * side * C if flatten else C
        for K in dense:
            weights += C * K
            values += top * K
            C = K
        return out((weights, values))
    return audit


WRONG = {
    "check_counts": {
        "A filter adds up": [
            {"maps": 0, "kernels": 0, "weights": 0, "biases": 0},
            {**right_counts, "maps": 640},  # every filter on every map
            {**right_counts, "maps": 16},
        ],
        "give a dict of": [
            [40, 640, 5760, 40],
            {name: right_counts[name] for name in ("maps", "kernels", "weights")},
            {**right_counts, "parameters": 5_800},
        ],
        "Each filter has one": [{**right_counts, "kernels": 40}],  # filters
        "Each kernel has 3 by 3": [
            {**right_counts, "weights": 5_800},  # with the biases
            {**right_counts, "weights": 360},  # forgets the channels
            {**right_counts, "weights": 144},
        ],
        "A bias belongs to a filter": [
            {**right_counts, "biases": 640},  # one a kernel
            {**right_counts, "biases": 1}, {**right_counts, "biases": "40"},
        ],
    },
    "check_layer": {
        "channels, only the last one counts": [
            lambda x, w, b: by_hand(x, w, b, step=lambda old, new: new),  # the last channel only
            # as given
            lambda x, w, b: by_hand(x, w, b, once=0, every=1, step=lambda old, new: new),
        ],
        "channels, b is added": [
            lambda x, w, b: by_hand(x, w, b, once=0, every=1),  # bias once a channel
        ],
        "wrong numbers for": [
            lambda x, w, b: by_hand(x, w, b, every=1),
            lambda x, w, b: by_hand(x, w, b, once=-1),
            lambda x, w, b: by_hand(x, w, b, start=1.0),
            lambda x, w, b: by_hand(x, w, b, step=max),
            # the mean of the channels
            lambda x, w, b: by_hand(x, w, b, once=w.shape[2]) / w.shape[2],
            # one kernel for all channels
            lambda x, w, b: by_hand(x, w, b, order=lambda c, k: (0, k)),
            lambda x, w, b: by_hand(x, w, b, order=lambda c, k: (c, 0)),  # one filter for all maps
            lambda x, w, b: by_hand(x, w[::-1, ::-1], b),  # flips
            lambda x, w, b: by_hand(x, w, b + 0 * b[0] + (b.sum() - b)),
        ],
        "the sum is right, the bias is missing": [lambda x, w, b: by_hand(x, w, b, once=0)],
        "the shape is": [
            lambda x, w, b: by_hand(x, w, b).transpose(1, 0, 2),
            lambda x, w, b: by_hand(x, w, b).sum(axis=-1),
            lambda x, w, b: np.stack([  # no sum over the channels
                by_hand(x[..., [c]], w[:, :, [c]], b) for c in range(x.shape[2])], axis=-1),
            lambda x, w, b: by_hand(np.pad(x, ((0, 1), (1, 1), (0, 0))), w, b),  # SAME
        ],
        "your function changes its input x": [changes_input],
    },
    "check_cheapest": {
        "has more parameters": [
            ("ABCD", "ABCD"), ("DACB", "ADBC"), ("DACB", "DACB"),
            ("CBDA", "BCAD"),  # the most first
            ("DABC", "DACB"), ("ADCB", "DACB"),
        ],
        "has more multiply-adds": [
            ("ADBC", "ABCD"), ("ADBC", "ADBC"), ("ADBC", "DABC"), ("ADBC", "ADCB"),
        ],
        "use A, B, C, D once each, got": [
            ("ADB", "DACB"), ("ADBC", "DACBB"), (None, None), ("adbc", "dacb"),
        ],
        "give two strings": ["ADBC", ["ADBC", "DACB"], ("ADBC", "DACB", "")],
    },
    "check_grouped": {
        "gives": [
            lambda F, C, K, groups: F * F * C * K + K,
            grouped(lambda F, C, K, g: F * F * C * K / g + K),  # a float
            grouped(lambda F, C, K, g: F * F * C * K // g),  # no bias
            grouped(lambda F, C, K, g: (F * F * C * K + K) // g),
            grouped(lambda F, C, K, g: F * F * (C // g) * (K // g) + K),
            grouped(lambda F, C, K, g: g * F * F * (C // g) * K + K),
            grouped(lambda F, C, K, g: F * (C // g) * K + K),
            grouped(lambda F, C, K, g: F * F * (C // g) * K + C),
            grouped(lambda F, C, K, g: F * F * (C // g) * K + g * K),
        ],
        "must raise a ValueError": [
            # no errors, or ZeroDivisionError
            lambda F, C, K, groups: F * F * (C // groups) * K + K,
            grouped(sizes="C"),
            grouped(sizes="K"),
            grouped(low=lambda g: g == 0),  # accepts -2
            # divides by zero
            grouped(low=lambda g: g < 0),
        ],
        "it raises ValueError": [
            grouped(message="bad groups"),
            grouped(message="{0} groups do not fit"),
            grouped(message="the groups do not divide {1}"),
        ],
        "groups=1 raises ValueError": [
            # refuses one group
            grouped(low=lambda g: g < 2),
            lambda F, C, K, groups: F * F * (C // groups) * K + K if groups % C == 0 else int("C"),
        ],
    },
    "check_audit": {
        "weights, not": [
            lambda side, C, blocks, dense: (0, side * side * C),  # as given
            bill(kernel=1),  # 1 by 1
            bill(kernel=3),
            bill(halve=False),  # no pooling
            bill(flatten=False),  # the maps of the last block as so many numbers
            bill(out=lambda both: both[::-1]),
        ],
        "lack the image": [bill(image=0)],
        "lack the poolings": [bill(pools=0)],
        "lack the dense layers": [bill(top=0)],
        "lack -": [bill(pools=2), bill(image=2), bill(top=2)],
        "lack 1": [bill(outputs=0)],
        "a small one has": [lambda *network: (138_344_128, 15_237_608)],  # of VGG16
        "return two numbers": [
            bill(out=sum), bill(out=lambda both: (*both, 0)), bill(out=lambda both: both[1]),
        ],
    },
    "check_bottleneck": {
        "leaves room": [
            lambda C: C // 8,
            lambda C: C // 4,
            lambda C: widest(C, three) - 1,
            lambda C: widest(C, lambda C, B: 2 * C * B + 9 * C * B),
            lambda C: widest(C, three, share=9),
            lambda C: widest(C, lambda C, B: 2 * C * B + 9 * B * B + 2 * B + C),  # biases as work
        ],
        "costs": [
            lambda C: C // 3,
            lambda C: C,
            lambda C: 0,
            lambda C: -1,
            lambda C: 66,  # right for 256 only
            lambda C: widest(C, three) + 1,
            lambda C: round(0.2595 * C),
            lambda C: widest(C, lambda C, B: C * B + 9 * B * B),  # one 1 by 1 forgotten
            lambda C: widest(C, lambda C, B: 9 * B * B),  # both forgotten
            lambda C: widest(C, lambda C, B: 2 * C * B + 3 * B * B),
            lambda C: widest(C, lambda C, B: 2 * C * B + 9 * B),
            lambda C: widest(C, three, share=7),
        ],
        "is not a whole number of channels": [lambda C: float(widest(C, three))],
    },
}
