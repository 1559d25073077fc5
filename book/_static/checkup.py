"""checkup: is this Keras classifier, with these data, fit to be trained?

    report = check(build, train=(x_train, y_train), test=(x_test, y_test))
    print(report)                                   # a line for each check
    assert report.ok                                # none fails
    print(show_batch(build, (x_train, y_train)))    # 16 inputs as the network meets them

`build` returns a fresh network, compiled as you mean to train it: its own loss and optimizer are
used. One array of inputs, one row of scores for each; labels as integers, one-hot or soft rows, or
several a row. Needs only NumPy and Keras 3. From "From Kernels to ConvNets", MIT licence.
"""
import contextlib
import random
import time
import warnings
from collections import namedtuple
from functools import cached_property

import keras
import numpy as np

BOOK = ""  # the book's address; the copy that its page offers knows it
PAGE = "notebooks/16_debugging_the_classics.html#check-"
STATES = PASS, WARN, FAIL, SKIP = "pass", "warn", "fail", "skip"
Result = namedtuple("Result", "name status advice value limit where")
Call = namedtuple("Call", "layer given out title kernel")
numpy, tensor = keras.ops.convert_to_numpy, keras.ops.convert_to_tensor

class Report(dict):  # {name: Result}; it prints as a table, and is ok if none fails
    ok = property(lambda self: all(result.status != FAIL for result in self.values()))
    def __repr__(self):
        states = [result.status for result in self.values()]
        lines = [f"{r.status:5} {r.name:12} {r.advice}" + f" (limit {r.limit})" * bool(r.limit)
                 + f"\n{'':18} read {r.where}" * (r.status in (WARN, FAIL)) for r in self.values()]
        return "\n".join([*lines, ", ".join(f"{states.count(s)} {s}" for s in STATES)])

def as_arrays(data, name):  # (x, y) of numbers; TypeError or ValueError says what is wrong
    parts = data if isinstance(data, (tuple, list)) else [data]
    if [hasattr(a, "__array__") for a in parts] != [True, True]:
        raise TypeError(f"{name} must be a pair of arrays, not {[type(a).__name__ for a in parts]}")
    x, y = (a + 0 if a.dtype == bool else a for a in map(np.asarray, parts))
    if {x.dtype.kind, y.dtype.kind} - set("iuf") or not len(x) == len(y) > 0 or (
            x.ndim < 2 or y.ndim > 2 or not np.isfinite(y).all()):
        raise ValueError(f"{name}: inputs {x.shape} of {x.dtype}, labels {y.shape} of {y.dtype}: "
                         "pass rows of numbers, and for each a finite label or row of labels")
    return x, y

def as_classes(y, K, name):  # integers (N,), or 0 and 1 (N, K) for several labels a row
    two = K == 1 and len(np.unique(y)) < 9 and np.abs(y).max() <= 1  # smoothed; -1 and 1 for hinge
    rows = y.size > len(y) and y.shape[1] == K and y.min() >= 0 and y.max() <= 1
    if not (rows or two) and (y.size > len(y) or (y != np.round(y)).any()):
        raise ValueError(f"labels of {name}, {y.shape}, are no whole numbers, nor rows of shares "
                         f"in 0..1 for {K} outputs: regression? These checks are for classes")
    if rows and np.allclose(y.sum(axis=1, dtype=float), 1, atol=0.01):
        return y.argmax(axis=1)
    return (y > 0.5 if rows else y.ravel() > 0.5 if two else y.ravel()).astype(int)

class Case:  # a network and its data; restore() gives it back its first weights
    def __init__(self, model, train, test, seed):
        self.model, (self.x, self.y), self.test, self.seed = model, train, test, seed
        try:
            (self.K,) = model(self.x[:2], training=False).shape[1:]
        except Exception as e:
            raise ValueError(f"no row of scores for {self.x.shape[1:]}: {e!r:.200}") from e
        self.classes = as_classes(self.y, self.K, "train")
        self.test_classes = as_classes(test[1], self.K, "test") if test else self.classes
        self.one_of_K = self.classes.ndim == 1 and self.K > 1
        name = getattr(model.loss, "__name__", type(model.loss).__name__)
        self.loss_name = str(model.loss if name == "str" else name).lower().replace("_", "")
        model.optimizer.build(model.trainable_variables)
        self.kernels = [w for w in model.trainable_variables if len(w.shape) > 1]
        self.kept = [(v, numpy(v)) for v in [
            *model.variables, *model.optimizer.variables, *model.metrics_variables]]
    def restore(self):
        random.seed(self.seed)  # Keras draws the seeds of its layers from here
        np.random.seed(self.seed)
        for variable, value in self.kept:
            variable.assign(value)
    def calls(self, x, training=False):  # what each layer on the way got and gave
        calls, call = [], keras.Layer.__call__
        def listen(layer, *args, **kwargs):
            out = call(layer, *args, **kwargs)
            with contextlib.suppress(Exception):  # several inputs, or symbols
                name, inner = type(layer).__name__, not hasattr(layer, "layers")
                kernel = inner and any(len(w.shape) > 1 for w in layer.weights) and (
                    name not in ("Normalization", "Embedding"))
                title = f"{name}, layer {len(calls) + 1},"
                calls.append(Call(layer, numpy(args[0]), numpy(out), title, kernel))
            return out
        try:
            keras.Layer.__call__ = listen
            self.model(x, training=training)
            return calls
        finally:
            keras.Layer.__call__ = call
    def met(self, x):  # x as the first kernel meets it in training: scaled, augmented
        found = [c.given for c in self.calls(x, training=True) if c.kernel]
        self.restore()
        return (found[0] if found else x).astype("float32")
    def column(self, y):  # of several labels a row, the one that is nearest to half and half
        return y if y.ndim == 1 else y[:, np.abs(self.classes.mean(axis=0) - 0.5).argmin()]
    def rows(self, n, labels=None):  # up to n row numbers, the classes in turn
        y = self.column(self.classes if labels is None else labels)
        order, turn = np.random.default_rng(self.seed).permutation(len(y)), np.zeros(len(y))
        for c in np.unique(y):
            turn[y[order] == c] = np.arange(np.sum(y == c))
        return order[np.argsort(turn, kind="stable")][:n]
    def scores(self, x, training=False):
        return numpy(keras.ops.cast(self.model(x, training=training), "float32"))
    def loss(self, scores, y):  # your loss, less the penalties of regularizers
        total = self.model.compute_loss(None, tensor(y), tensor(scores, "float32"), training=False)
        return float(total) - sum(float(numpy(p).sum()) for p in self.model.losses)
    def loss_of(self, x, y):  # in the better mode: batch norm's statistics come late in test mode
        return min(self.loss(self.scores(x, mode), y) for mode in (False, True))
    def right(self, i, c, logits):  # right scores of conviction c; 0 is a guess
        a = self.classes[i].reshape(len(i), -1)
        a = np.eye(self.K)[a[:, 0].clip(0, self.K - 1)] if self.one_of_K else a
        return c * (2.0 * a - 1) if logits else c * a + (1 - c) / max(2, self.K * self.one_of_K)
    def prices(self, i):  # what your loss expects, and its value for guessing and for being right
        p, z = ([self.loss(self.right(i, c, logits), self.y[i]) for c in sizes] for logits, sizes in
                [(False, (0, 0.7, 0.8, 0.9, 0.95, 1 - 1e-6)), (True, (0, 0.5, 1, 1.5, 2.5, 5, 10))])
        best = np.nanmin([*p, *z])
        logits = np.nanmin(p) > best + 0.1 * (p[0] - best)
        return ("logits", z[0], best) if logits else ("probabilities", p[0], np.nanmin(p))
    def learn(self, i, steps, done):  # train on rows i, 16 a step; ask done() every 25 steps
        for step, batch in enumerate(np.resize(i, (steps, min(16, len(i)))), 1):
            self.model.train_on_batch(self.x[batch], self.y[batch])
            if step % 25 == 0 and done():
                break
        return step
    @cached_property
    def trial(self):  # some steps: kernels before and after, and the relative size of each step
        i, sizes, first = self.rows(16), [], [numpy(w) for w in self.kernels]
        now, wait = first, getattr(self.model.optimizer, "gradient_accumulation_steps", 0)
        for _ in range(8 + 2 * (wait or 0)):
            last = now
            self.model.train_on_batch(self.x[i], self.y[i])
            now = [numpy(w) for w in self.kernels]
            sizes += [np.linalg.norm(a - b) / np.linalg.norm(b)
                      for a, b in zip(now, last, strict=True) if b.any() and (a != b).any()]
        return first, now, sizes
    @cached_property
    def kind(self):  # of scores: large random kernels show the bounds
        x, found = self.x[self.rows(32)], []
        for n in range(4):
            rng = np.random.default_rng((self.seed, n // 2))
            for w in self.kernels:
                last = (100 if n % 2 else -100) if w.shape[-1] == self.K else 1
                w.assign(last * rng.normal(0, 1.5 * np.prod(w.shape[:-1]) ** -0.5, w.shape))
            found.append(self.scores(x))
        self.restore()
        low, high = np.min(found), np.max(found)
        one = self.K > 1 and np.allclose(np.sum(found, axis=2), 1, atol=0.01)
        if low < 0 or high > 1:  # small scores saturate nothing
            return "logits" if low < -1.01 or high < 0.9 else "tanh" if high < 1.01 else "ReLU"
        return "" if not high > max(low, 0.3) else "probabilities" if one else "sigmoids"

def shrink(x, side):  # return inputs as rows of float32, images averaged to about side x side
    if x.ndim in (3, 4) and min(x.shape[1:3]) > 1:
        h, w = (max(1, n // side) for n in x.shape[1:3])
        x = x[:, :x.shape[1] // h * h, :x.shape[2] // w * w]
        x = sum(x[:, i::h, j::w].astype("float32") for i in range(h) for j in range(w)) / (h * w)
    return x.reshape(len(x), -1).astype("float32")

# --- the data ---
# A check yields (condition, status, advice, value, limit). The worst finding whose condition holds
# is reported; after a fail or skip the check is not resumed.
def check_scale(case, limit=30):  # finite, different, of moderate size at the first kernel
    x, bad, some = case.x, (~np.isfinite(case.x)).sum(), case.x[case.rows(1000)]
    yield bad, FAIL, f"{bad:,} of {x.size:,} numbers are NaN or infinite", bad, 0
    same = (some.reshape(len(some), -1) == some.reshape(len(some), -1)[:, :1]).mean(axis=1)
    blank, nearly = np.mean(same == 1), np.mean(same > 0.98)  # as x / 255 among integers is
    yield x[0].size > 4 and blank > 0.1, FAIL, f"{blank:.0%} of the inputs are blank", blank, 0.1
    yield x.ndim > 2 and nearly > 0.5, WARN, f"{nearly:.0%} of the inputs are nearly blank", nearly
    yield x.ndim == 4 and x.shape[1] in (1, 3) and x.shape[3] > 4, WARN, "channels first?"
    met = case.met(some[:max(16, min(256, 10**6 // x[0].size))])
    low, high, apart = float(met.min()), float(met.max()), float(met.std(axis=0).max())
    largest, told = max(-low, high), f"the first kernel meets {low:.4g} to {high:.4g}"
    yield largest < 0.02, FAIL, f"{told}: divided by 255 twice?", largest, 0.02
    yield apart < 0.01 * largest, FAIL, f"{told}, all nearly alike: scaled twice?", apart, 0.01
    odd = max(met.std(), abs(met.mean())) > 5 and not -124 <= low < -90 < high < 152  # as VGG wants
    yield largest > limit and odd, FAIL, f"{told}: never scaled?", largest, limit
    yield True, PASS, told, largest, limit

def check_match(case, limit=1.5):  # training and test inputs have one shape and one scale
    a, b, bad = case.x, case.test[0], (~np.isfinite(case.test[0])).sum()
    yield a.shape[1:] != b.shape[1:], FAIL, f"shapes {a.shape[1:]} and, in test, {b.shape[1:]}"
    yield bad, FAIL, f"{bad:,} numbers of the test set are NaN or infinite", bad, 0
    a, b = a[case.rows(3000)].astype(float), b[case.rows(3000, case.test_classes)].astype(float)
    m, n, (c, d) = a.mean(), b.mean(), [np.abs(part - part.mean()).mean() for part in (a, b)]
    ratio, told = max(c, d) / max(min(c, d), 1e-12), f"mean {m:.3g} and {n:.3g} in test, spread"
    yield ratio > limit or abs(m - n) > 1.25 * max(c, d), FAIL if len(b) > 9 else WARN, (
        f"{told} {c:.3g} and {d:.3g}: prepared alike?"), ratio, limit
    yield True, PASS, f"{told} {c:.3g} and {d:.3g}", ratio, limit

def nearness(x, new):  # distance to the nearest in x / to the 5th, in the best shift by 1
    small, images = shrink(x, 7), new.ndim in (3, 4) and min(new.shape[1:3]) > 8
    far = (small**2).sum(axis=1) - 2 * shrink(new, 7) @ small.T
    near = x[np.argpartition(far, 10, axis=1)[:, :10]].astype("float32").reshape(len(new), 10, -1)
    moved = [np.roll(new, (i, j), (1, 2)) if images else new for i in (0, 1, -1)
             for j in (0, 1, -1) if images or i == j == 0]
    best = np.sort(np.min([np.linalg.norm(near - m.reshape(len(new), 1, -1), axis=2)
                           for m in moved], axis=0), axis=1)
    return best[:, 0] / np.maximum(best[:, 4], 1e-9)

def check_leakage(case, limit=0.01):  # no test input, noisy, shifted or mirrored, is in training
    a, b, rng = case.x, case.test[0], np.random.default_rng(case.seed)
    known, tests = ([hash((row.astype("f4") + 0).tobytes()) for row in part] for part in (a, b))
    once, own = set(known), 1 - len(set(known)) / len(a)
    copies = [i for i, key in enumerate(tests) if key in once]
    share, told = len(copies) / len(b), f"of {len(b)} test inputs are in the training set"
    yield copies, FAIL if share > max(2 * own, limit / 20) and len(copies) > 2 else WARN, (
        f"{len(copies)} {told}, as {copies[:3]}; there {own:.1%} repeat"), share, 0
    i, j = rng.permutation(len(b))[:400], rng.permutation(len(a))[:min(400, len(a) // 4)]
    for flip in (1, -1) if len(a) > 100 and a[0].size > 15 and not copies else ():
        new, old = (part[:, :, ::flip] if a.ndim == 4 else part for part in (b[i], a[j]))
        near, own = nearness(a, new) < 0.45, np.mean(nearness(np.delete(a, j, 0), old) < 0.45)
        status, share = FAIL if near.mean() > 3 * own and near.sum() > 2 else WARN, near.mean()
        yield share > limit, status, f"{share:.1%} {told}{', mirrored' * (flip < 0)}, nearly, as " \
            f"{i[near][:1]}; of training inputs {own:.1%} have such a twin", share, limit
    yield True, PASS, f"{len(copies)} {told}", share, limit

def check_labels(case, limit=2):  # labels are 0..K-1, all occur, in no order
    y, K, test = case.classes, max(2, case.K), case.test_classes
    yield y.ndim == 2, SKIP, f"{K} labels a row: nothing to tell"
    known, counts = np.unique(y, return_counts=True)
    low, high = min(known[0], test.min()), max(known[-1], test.max())
    new, missing = np.setdiff1d(test, known), np.setdiff1d(np.arange(K), known)
    lost, many = np.setdiff1d(known[counts / len(y) * len(test) > 12], test), len(y) > 20 * K
    yield low < 0 or high >= K, FAIL, f"labels {low} to {high}; {case.K} outputs serve 0 to {K - 1}"
    yield len(known) == 1, FAIL, f"every training label is {known[0]}", 1
    yield len(new), FAIL if many else WARN, f"test labels {new[:9]} never occur in training"
    yield len(missing) and many, WARN, f"{K} outputs, and no label {missing[:9]}", K
    yield len(lost), WARN, f"no test row has a label of {lost[:9]}", len(lost), 0
    runs = (1 + np.sum(y[1:] != y[:-1])) / len(known)
    yield counts.min() > 3 and len(y) >= 10 * len(known) and runs <= limit, FAIL, (
        f"labels are sorted, {runs:.3g} runs a class: shuffle before any split"), runs, limit
    yield True, PASS, f"{len(known)} classes of {counts.min()} to {counts.max()} rows", runs, limit

def neighbours(x, y, new, labels):  # how often 5 neighbours in x tell the label, chance, its sd
    far = (x**2).sum(axis=1) - 2 * new @ x.T + 1e30 * np.eye(len(new), len(x)) * (x is new)
    known, (kinds, sizes) = np.unique(y), np.unique(labels, return_counts=True)
    votes = (y[np.argsort(far, axis=1)[:, :5], None] == known).sum(axis=1)
    right, p = known[votes.argmax(axis=1)] == labels, 1 / len(kinds)
    rate, sd = np.mean([right[labels == c].mean() for c in kinds]), (p - p * p) * np.sum(1 / sizes)
    return rate, p, p * np.sqrt(sd)

def check_pairs(case, limit=4):  # neighbours share labels: labels belong to their inputs
    i, few = case.rows(1000), lambda y: np.unique(y, return_counts=True)[1].min()
    x, y = shrink(case.x[i], 28), case.column(case.classes)[i]
    yield few(y) < 12 or np.ptp(y) == 0, SKIP, f"too few rows to tell: {few(y)} of a class", few(y)
    scale = x.std(axis=0) + 1e-9 if case.x.ndim == 2 else 1
    x /= scale
    own, p, sd = neighbours(x, y, x, y)
    told, bar = f"neighbours share {own:.0%} of the labels in training", p + limit * sd
    if case.test and case.test[0].shape[1:] == case.x.shape[1:]:
        j = case.rows(1000, case.test_classes)
        u, v = shrink(case.test[0][j], 28) / scale, case.column(case.test_classes)[j]
        there, (alone, q, sd) = neighbours(x, y, u, v)[0], neighbours(u, v, u, v)
        told += f", {there:.0%} from training to test, {alone:.0%} in test"
        low, high, chance = min(own, there), max(own, alone), q + limit * sd
        yield few(v) > 11 and (own > bar or alone > chance) and low + 2 * np.sqrt(
            low * (1 - low) / len(v)) < p + 0.6 * (high - p), FAIL if low < chance else WARN, (
            f"{told}: labels shuffled, some wrong, or two ways of preparing?"), low, bar
    yield own < bar, WARN, (
        f"{told}: do labels belong to their inputs? In some data neighbours tell nothing"), own, bar
    yield True, PASS, told, own, bar

# --- the network before it learns ---
def check_start(case, limit=2):  # the loss begins as guessing; scores are what it expects
    i, kind, loss = case.rows(256), case.kind, case.model.loss
    name, known = case.loss_name, isinstance(loss, str) or "keras" in loss.__module__
    yield not np.isfinite(case.scores(case.x[i])).all(), FAIL, "some scores are NaN or infinite"
    yield known and case.K == 1 and "categorical" in name, FAIL, f"{name} needs several outputs"
    try:
        expects, guess, _ = case.prices(i)
        right = tensor(case.right(i, 0.3, expects == "logits"), "float32")
        metrics = case.model.compute_metrics(None, tensor(case.y[i]), right)
    except Exception as e:
        yield True, FAIL, f"loss or metrics cannot judge these scores and labels: {e!r:.200}"
    if any(word in name for word in ("square", "absol", "mse", "mae", "huber", "poiss")):
        yield "hinge" not in name, WARN, f"{name} is for numbers: take a cross-entropy"
    elif kind and "hinge" not in name:
        told = f"outputs are {kind}, the loss expects {expects}"
        yield (kind in ("sigmoids", "probabilities")) != (expects == "probabilities"), (
            FAIL if known else WARN), f"{told}: from_logits?"
        yield kind == "sigmoids" and case.one_of_K and "categ" in name, FAIL, f"{name} of sigmoids"
    low = [key for key, value in metrics.items() if "acc" in key and value < 0.99]
    yield low, WARN, f"{low} below 1 for right scores: does it expect another kind?"
    i = np.random.default_rng(case.seed).permutation(len(case.y))[:256]  # as rare as they are
    x, y, size = case.x[i], case.y[i], np.square(case.met(case.x[i[:32]])).mean() ** 0.5
    begin, calm = (case.loss_of(x / s, y) for s in (1, max(1, float(size))))
    told = f"{kind}; the loss starts at {begin:.3g}, guessing costs {guess:.3g}"
    yield not begin < limit * guess + 0.5, WARN if calm < 2.5 * limit * guess else FAIL, (
        f"{told}: inputs or weights too large?"), begin / guess, limit  # inputs only warn
    yield True, PASS, told, begin / guess, limit

def check_calm(case, limit=0.002):  # test mode repeats itself; dropout, batch norm act in training
    x, limit = case.x[case.rows(32)], 0.03 if "16" in case.model.compute_dtype else limit
    def differ(a, b):
        return np.abs(a - b).max() > limit * max(np.abs(a).max(), np.abs(b).max(), 1e-6)
    test, again, alone = case.scores(x), case.scores(x), case.scores(x[-1:])
    yield differ(test, again), FAIL, "two passes in test mode differ: what is random there?"
    yield differ(alone, test[-1:]), FAIL, "in test mode scores depend on the batch's other rows"
    calls, train, other = case.calls(x, True), case.scores(x, True), case.scores(x, True)
    moved = {id(v) for v, old in case.kept if not np.array_equal(numpy(v), old)}
    case.restore()
    fixed = differ(case.scores(x, None), test) and "Random" not in str([c.title for c in calls])
    yield fixed, WARN, "model(x) is not in test mode: a layer called with training=True?"
    for a, given, out, name, _ in calls:
        rate = a.rate if isinstance(a, keras.layers.Dropout) and a.trainable else 0
        idle = rate * given.size > 20 and given.any() and (given == out).all()
        yield idle, FAIL, f"{name} never acts, not in train mode either"
        yield rate > 0.6, WARN, f"{name} drops {rate:.0%}: a share to keep?", rate, 0.6
        if hasattr(a, "moving_mean") and a.trainable:
            yield id(a.moving_mean) not in moved, WARN, f"{name} never learns its statistics"
            yield not 0.5 <= a.momentum <= 0.9995, WARN, f"{name} has momentum {a.momentum:g}"
    yield differ(train, test) and not differ(train, other) and not moved, FAIL, (
        "train mode gives other scores than test mode, and no layer says why")
    lost = (train == 0) & train.any(axis=1)[:, None]  # whole rows: no features were left
    yield np.mean(lost) > np.mean(test == 0) + 0.05, FAIL, "dropout after the last layer"
    yield True, PASS, "test mode is calm", None, limit

def check_nonlinear(case, limit=0.001):  # activations act between layers, and none after the last
    x, kind = case.x[case.rows(32)].astype("float32"), case.kind
    ends = kind == "ReLU" or kind == "tanh" and "hinge" not in case.loss_name
    yield ends, FAIL, f"a {kind} or its like stands after the last layer"
    calls = [c for c in case.calls(x) if c.kernel]
    for (a, _, out, name, _), (b, given, after, *_) in zip(calls, calls[1:], strict=False):
        if type(a) is type(b) and np.array_equal(given.ravel(), out.ravel()) and min(
                [*getattr(a, "kernel_size", [2]), *getattr(b, "kernel_size", [2])]) > 1:
            wide = out.shape[-1] >= min(np.prod(a.weights[0].shape[:-1]), after.shape[-1])
            linear = getattr(a, "activation", 0) is keras.activations.linear
            yield wide and linear, WARN, f"no activation after {name} on purpose?"
    for w in case.kernels:  # of zeros nothing could be seen
        w.assign(w if numpy(w).any() else np.random.default_rng(0).normal(0, 0.1, w.shape))
    def f(t):
        z = case.scores(t * x + (1 - t) * np.roll(x, -1, axis=0)).astype(float)
        if kind in ("sigmoids", "probabilities"):
            z = np.log(z.clip(1e-30)) - (kind == "sigmoids") * np.log((1 - z).clip(1e-30))
        return z - z.mean(axis=1, keepdims=True) * (case.K > 1)
    ends, deep = f(1) + f(0), len({id(c.layer) for c in calls}) > 1
    bend = max(np.abs(ends - f(t) - f(1 - t)).max() for t in (0.3, 4, -6)) / max(np.ptp(ends), 1e-9)
    yield deep and bend < limit, FAIL, "several layers, and all is linear", bend, limit
    yield True, PASS, "activations act" if deep else "one layer, linear by design", bend, limit

def check_learning(case, limit=0):  # some steps move every kernel
    first, now, _ = case.trial
    still = [w.path for w, a, b in zip(case.kernels, now, first, strict=True) if (a == b).all()]
    yield not first, FAIL, "no weight is trainable", 0, limit
    yield len(still) > limit, FAIL, f"no step moves {', '.join(still[:3])}", len(still), limit
    frozen = [w.name for w in case.model.non_trainable_variables if np.prod(w.shape[:-1]) > 1]
    yield frozen, WARN, f"{len(frozen)} kernels are frozen: on purpose?", len(frozen), 0
    yield True, PASS, f"{len(first)} kernels move", 0, limit

def check_update_size(case, limit=0.1):  # a step moves kernels by about a thousandth
    size = np.median(case.trial[2] or [0])
    yield True, PASS if 1e-6 <= size <= limit else WARN, (
        f"a step changes the weights by {size:.1g} of their size; 0.001 is usual"), size, limit

def check_one_batch(case, limit=0.1):  # your network, loss and optimizer learn 16 inputs by heart
    i = np.array(list({case.x[i].tobytes(): i for i in case.rows(200)[::-1]}.values())[:-17:-1])
    x, y, (_, guess, floor), rates = case.x[i], case.y[i], case.prices(i), []
    history = [case.loss_of(x, y)]
    def done():
        history.append(case.loss_of(x, y))
        rates.append(float(numpy(case.model.optimizer.learning_rate)))
        return history[-1] - floor < limit * (guess - floor)
    steps, last = case.learn(i, 400, done), history[-1]
    share, gain = np.array([last - floor, min(history[:-4] or [last]) - last]) / (guess - floor)
    slow = 0.02 < gain and share < 0.97 or max(rates) > 1.5 * min(rates)  # or it has a schedule
    told = f"{steps} steps bring the loss of {len(i)} inputs from {history[0]:.3g} to {last:.3g}"
    yield share < limit, PASS, told, share, limit
    yield not share < limit, WARN if slow else FAIL, f"{told}: rate, penalty, scores?", share, limit

def check_blank_input(case, limit=0.9):  # inputs help: zeros in their place do worse
    i = case.rows(64)
    x, y, even = case.x[i], case.y[i], case.prices(i)[1]
    def ratio():
        return case.loss_of(x, y) / min(case.loss_of(0 * x, y), even)
    steps, last = case.learn(case.rows(512), 200, lambda: ratio() < limit), ratio()
    yield not np.ptp(case.scores(x), axis=0).max() > 0, FAIL, "all inputs get the same scores"
    yield True, PASS if last < limit else WARN, (
        f"{steps} steps bring the loss to {last:.2f} of what it is without inputs"), last, limit

CHECKS = {name[6:].replace("_", " "): f for name, f in globals().items() if name[:6] == "check_"}
LIMITS = {name: f.__defaults__[0] for name, f in CHECKS.items()}  # move one if you like
SECTIONS = dict(zip(CHECKS, 5 * ["the-data"] + 3 * ["the-network-before-it-learns"]
                    + 4 * ["that-it-learns"], strict=True))

@contextlib.contextmanager
def opened(source, train, test, seed):  # a Case; later weights and random states are given back
    train, test = as_arrays(train, "train"), test if test is None else as_arrays(test, "test")
    python, state, case = random.getstate(), np.random.get_state(), None
    try:
        random.seed(seed)
        np.random.seed(seed)
        model = source if isinstance(source, keras.Model) or not callable(source) else source()
        loss = getattr(model, "loss", None)
        if not isinstance(model, keras.Model) or not (callable(loss) or isinstance(loss, str)):
            raise ValueError(f"pass a Keras model compiled with one loss: got {model!r}, {loss!r}")
        yield (case := Case(model, train, test, seed))
    finally:
        if case:
            case.restore()
        random.setstate(python)
        np.random.set_state(state)

def run(case, name):  # return the worst finding of one check: status, advice, value, limit
    found = [[SKIP, "no test set"]] * (case.test is None and name in ("match", "leakage"))
    try:
        with warnings.catch_warnings(action="ignore"), np.errstate(all="ignore"):
            for holds, *finding in () if found else CHECKS[name](case, LIMITS[name]):
                found += [finding] * bool(holds)
                if holds and finding[0] in (FAIL, SKIP):
                    break
    except Exception as e:
        found.append([SKIP, f"the check cannot run: {e!r:.200}"])
    return min(found, key=lambda f: (FAIL, WARN, SKIP, PASS).index(f[0]))

def check(build_or_model, train, test=None, only=None, skip=(), seed=0, budget=float("inf")):
    """Run the checks and return a Report; ValueError or TypeError says what cannot be checked.
    build_or_model: a function that returns a compiled network, or one, which gets its weights back.
    train, test: (x, y). only, skip: names of checks. budget: seconds; no check starts after them.
    """
    only, skip = ([a] if isinstance(a, str) else CHECKS if a is None else a for a in (only, skip))
    if unknown := [name for name in [*only, *skip] if name not in CHECKS]:
        raise ValueError(f"no check is called {unknown}, only {list(CHECKS)}")
    begin, report = time.time(), Report()
    with opened(build_or_model, train, test, seed) as case:
        for name in (name for name in CHECKS if name in only and name not in skip):
            late = [SKIP, f"the budget of {budget} s is used up"] * (time.time() - begin > budget)
            found = late or run(case, name)
            data = [n if n is None else float(f"{n:.4g}") for n in [*found, None, None][2:4]]
            report[name] = Result(name, *found[:2], *data, BOOK + PAGE + SECTIONS[name])
            case.restore()
    return report

def show_batch(build_or_model, train, seed=0):
    """Return 16 inputs with labels, in characters, as the first kernel meets them in training."""
    with opened(build_or_model, train, None, seed) as case:
        i, ink = case.rows(16), " .:-=+*#%@"
        x, met = case.x[i], case.met(case.x[i])
    met = met.reshape(x.shape) if met.size == x.size else met  # also where Flatten came before
    text = [f"from {met.min():.3g} ({ink[0]!r}) to {met.max():.3g} ({ink[-1]!r})"]
    shades = (9 * (met - met.min()) / max(np.ptp(met), 1e-9)).round().astype(int)
    for k, a in zip(i, shades.max(axis=-1) if met.ndim == 4 else shades, strict=True):
        a = np.atleast_2d(np.array(list(ink))[a])[:, ::max(1, -(-a.shape[-1] // 28))]
        text += [f"label {case.y[k]}", *("".join(row).rstrip() for row in a[::-(-len(a) // 14)])]
    return "\n".join(text)
