"""checkup: is this Keras classifier, with these data, fit to be trained?

    report = check(build, train=(x_train, y_train), test=(x_test, y_test))
    print(report)                                   # a line for each check
    assert report.ok                                # none fails
    print(show_batch(build, (x_train, y_train)))    # 16 inputs as the network meets them

`build` returns a fresh network, compiled as you mean to train it: its own loss and optimizer are
used. One array of inputs, one row of scores for each; labels as integers, one-hot or soft rows, or
several labels a row. Anything else (regression, tokens, several inputs) gets one sentence.
Needs the standard library, NumPy and Keras 3. From "From Kernels to ConvNets", MIT licence.
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
DATA, BEFORE, LEARNS = "the-data", "the-network-before-it-learns", "that-it-learns"
Result = namedtuple("Result", "name status advice value limit where")

# A check yields (condition, status, advice, value, limit). The worst finding whose condition holds
# is reported; after a fail or skip the check is not resumed.
class Report(dict):
    """{name: Result}. It prints as a table, iterates over the results, and is ok if none fails."""
    ok = property(lambda self: all(result.status != FAIL for result in self))
    def __iter__(self):
        return iter(self.values())
    def __repr__(self):
        counts = [f"{sum(r.status == state for r in self)} {state}" for state in STATES]
        return "\n".join([f"{r.status:5} {r.name:12} {r.advice}" + (
            "" if r.limit is None else f" (limit {r.limit:.3g})") + (
            f"\n{'':18} read {r.where}" * (r.status in (WARN, FAIL))) for r in self] + [
            ", ".join(counts)])

def line(error):
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]

numpy = keras.ops.convert_to_numpy

# --- your data and your network, as the checks use them ---
def as_arrays(data, name):
    """Return (x, y) as arrays of numbers; TypeError or ValueError says what is wrong."""
    parts = data if isinstance(data, (tuple, list)) else [data]
    if len(parts) != 2 or not all(hasattr(a, "__array__") for a in parts):
        raise TypeError(f"{name} must be a pair (x, y) of NumPy arrays, not of "
                        f"{[type(a).__name__ for a in parts]}; of a Dataset, pass some batches")
    x, y = (a + 0 if a.dtype == bool else a for a in map(np.asarray, parts))
    if any(a.dtype.kind not in "biuf" or not a.size for a in (x, y)) or len(x) != len(y) or (
            x.ndim < 2 or y.ndim > 2 or not np.isfinite(y).all()):
        raise ValueError(f"{name}: inputs {x.shape} of {x.dtype}, labels {y.shape} of {y.dtype}: "
                         "pass rows of numbers, and for each a finite label or row of labels")
    return x, y

def as_classes(y, K, name):
    """Return labels as integers (N,), or as 0 and 1 (N, K) for several labels a row."""
    kinds, low, high = np.unique(y), y.min(), y.max()
    told = f"labels of {name}, shape {y.shape}, {low:.4g} to {high:.4g}, are no"
    if y.size > len(y):
        if y.shape[1] != K or low < 0 or high > 1:
            raise ValueError(f"{told} shares in 0..1 for {K} outputs")
        one = np.allclose(y.sum(axis=1, dtype=float), 1, atol=0.01)
        return y.argmax(axis=1) if one else (y > 0.5).astype(int)
    if K == 1 and (len(kinds) < 9 and 0 <= low and high <= 1 or set(kinds) == {-1, 1}):
        return (y.ravel() > 0.5).astype(int)  # also smoothed, or -1 and 1 for a hinge loss
    if (kinds != np.round(kinds)).any():
        raise ValueError(f"{told} whole numbers: regression? These checks are for classes")
    return y.ravel().astype(int)

def get_network(source):
    """Return a fresh compiled network: what a function builds, or the copy of a model."""
    model = source if isinstance(source, keras.Model) or not callable(source) else source()
    if not isinstance(model, keras.Model):
        raise TypeError(f"pass a function that returns a Keras model, or a model: got {model!r}")
    loss = getattr(model, "loss", None) if getattr(model, "optimizer", None) else None
    if loss is None or isinstance(loss, (dict, list)):
        raise ValueError(f"compile the network with one loss and an optimizer; the loss is {loss}")
    if model is not source:
        return model
    try:
        copy, own = keras.models.clone_model(model), model.optimizer
        copy.set_weights(model.get_weights())
        copy.compile(type(own).from_config(own.get_config()), loss, metrics=keras.saving
                     .deserialize_keras_object(model.get_compile_config()["metrics"]))
        return copy
    except Exception as e:
        raise TypeError(f"this {type(model).__name__} cannot be copied ({line(e)}): pass the "
                        "function that builds and compiles it") from e

class Case:
    """A network and its data; restore() gives it back its first weights."""
    def __init__(self, model, train, test, seed):
        self.model, (self.x, self.y), self.test, self.seed = model, train, test, seed
        try:
            with listening() as calls:
                shape = getattr(model(self.x[:2], training=False), "shape", "several outputs")
        except Exception as e:
            raise ValueError(f"the network takes no inputs {self.x.shape[1:]}: {line(e)}") from e
        if len(shape) != 2 or any(type(a).__name__ == "Embedding" for a, *_ in calls):
            raise ValueError(f"give a row of scores for a row of numbers, no tokens: got {shape}")
        self.K, self.classes = int(shape[1]), as_classes(self.y, int(shape[1]), "train")
        self.test_classes = test and as_classes(test[1], self.K, "test")
        self.one_of_K = self.classes.ndim == 1 and self.K > 1
        model.optimizer.build(model.trainable_variables)
        self.kernels = [w for w in model.trainable_variables if len(w.shape) > 1]
        self.kept = [(v, numpy(v)) for v in [*model.variables, *model.optimizer.variables]]
        name = str(getattr(model.loss, "__name__", type(model.loss).__name__))
        self.loss_name = (model.loss if name == "str" else name).lower().replace("_", "")
    def restore(self):
        keras.utils.set_random_seed(self.seed)
        for variable, value in self.kept:
            variable.assign(value)
    def column(self, y):
        """Return classes; of several labels a row, the one that is nearest to half and half."""
        return y if y.ndim == 1 else y[:, np.abs(self.classes.mean(axis=0) - 0.5).argmin()]
    def rows(self, n, labels=None):
        """Return up to n row numbers, the classes in turn."""
        y = self.column(self.classes if labels is None else labels)
        order = np.random.default_rng(self.seed).permutation(len(y))
        order = order[np.argsort(y[order], kind="stable")]
        turn = np.arange(len(y)) - np.searchsorted(y[order], y[order])
        return order[np.argsort(turn, kind="stable")][:n]
    def scores(self, x, training=False):
        return numpy(keras.ops.cast(self.model(x, training=training), "float32"))
    def loss(self, scores, y):
        """Return your loss for scores, less the penalties of regularizers."""
        y, scores = map(keras.ops.convert_to_tensor, (y, np.asarray(scores, "float32")))
        total = self.model.compute_loss(None, y, scores, training=False)
        return float(total) - sum(float(numpy(p).sum()) for p in self.model.losses)
    def loss_of(self, x, y):
        """Return the loss in the better mode: batch norm's statistics come late in test mode."""
        return min(self.loss(self.scores(x, mode), y) for mode in (False, True))
    def right(self, i, doubt=None, size=None):
        """Return right scores: probabilities with some doubt, or logits of that size."""
        others, c = self.K - 1 if self.one_of_K else 1, self.classes[i]
        a = np.eye(self.K)[c.clip(0, self.K - 1)] if self.one_of_K else c.reshape(len(c), -1)
        return a * (1 - doubt) + (1 - a) * doubt / others if size is None else size * (2.0 * a - 1)
    def prices(self, i):
        """Return what your loss expects, its value for guessing, and for being right."""
        y, even = self.y[i], np.full((len(i), self.K), 1 / self.K if self.one_of_K else 0.5)
        shares = min(self.loss(self.right(i, doubt=d), y) for d in (1e-6, 0.01, 0.03, 0.1, 0.2))
        logits = [self.loss(self.right(i, size=s), y) for s in (0.5, 1, 1.5, 2.5, 5, 10)]
        best, guess = np.nanmin([shares, *logits]), self.loss(even, y)
        if shares > best + 0.1 * (guess - best):
            return "logits", self.loss(0 * even, y), best
        return "probabilities", guess, shares
    def learn(self, i, steps, done):
        """Train on rows i, 16 a step; ask done() every 25 steps. Return the steps taken."""
        for step, batch in enumerate(np.resize(i, (steps, min(16, len(i)))), 1):
            self.model.train_on_batch(self.x[batch], self.y[batch])
            if step % 25 == 0 and done():
                break
        return step
    @cached_property
    def kind(self):
        """What the scores are, and what squashes them: large random kernels show the bounds."""
        x, found = self.x[self.rows(32)], []
        ties = np.mean(np.diff(np.sort(self.scores(x), axis=1), axis=1) == 0) if self.K > 1 else 0
        for n in range(4):
            rng = np.random.default_rng((self.seed, n // 2))
            for w in self.kernels:
                last = (100 if n % 2 else -100) if w.shape[-1] == self.K else 1
                w.assign(last * rng.normal(0, 1.5 * np.prod(w.shape[:-1]) ** -0.5, w.shape))
            found.append(self.scores(x))
        self.restore()
        z = np.concatenate(found).astype(float)
        low, high, second = z.min(), z.max(), "second squashing function before the last"
        if low == high or np.isnan(low):
            return ("sigmoids", "second softmax, over one output,") if low == 1 else ("", "")
        if low < 0 or high > 1:
            return "logits", "" if low < -1.01 else "tanh" if high < 1.01 else "ReLU or its like"
        if self.K == 1 or not np.allclose(z.sum(axis=1), 1, atol=0.01):
            return "sigmoids", second * (low > 0.2 or high < 0.8)
        return "probabilities", (second if np.ptp(np.log(z + 1e-30), axis=1).max() < 2.01 else
                                 "ReLU before the softmax" * (0.2 < ties < 1))

@contextlib.contextmanager
def listening():
    """Collect (layer, input, output) of all layers called meanwhile."""
    calls, call = [], keras.Layer.__call__
    def listen(layer, *args, **kwargs):
        out = call(layer, *args, **kwargs)
        with contextlib.suppress(Exception):  # several inputs, or symbols
            calls.append((layer, numpy(args[0]), numpy(out)))
        return out
    try:
        keras.Layer.__call__ = listen
        yield calls
    finally:
        keras.Layer.__call__ = call

def has_kernel(layer):
    return not hasattr(layer, "layers") and "Normalization" not in type(layer).__name__ and any(
        len(w.shape) > 1 for w in layer.weights)

def title(layer, calls):
    """Return a layer's type and place among those called (each build gives it another name)."""
    ids = list(dict.fromkeys(id(a) for a, *_ in calls))
    return f"{type(layer).__name__}, layer {ids.index(id(layer)) + 1} of {len(ids)},"

def as_met(case, x):
    """Return x as the first kernel meets it in training: scaled, augmented."""
    with listening() as calls:
        case.model(x, training=True)
    case.restore()
    return next((given for a, given, _ in calls if has_kernel(a)), x).astype("float32")

def shrink(x, side):
    """Return inputs as rows of float32, images averaged to about side x side."""
    if x.ndim in (3, 4) and min(x.shape[1:3]) > 1:
        h, w = (max(1, n // side) for n in x.shape[1:3])
        x = x[:, :x.shape[1] // h * h, :x.shape[2] // w * w]
        x = sum(x[:, i::h, j::w].astype("float32") for i in range(h) for j in range(w)) / (h * w)
    return x.reshape(len(x), -1).astype("float32")

# --- the data ---
def check_scale(case, limit=30):
    """Inputs are finite, differ, and reach the first kernel with a moderate size."""
    x, bad, some = case.x, (~np.isfinite(case.x)).sum(), case.x[case.rows(1000)]
    yield bad, FAIL, f"{bad:,} of {x.size:,} numbers are NaN or infinite", bad, 0
    blank = np.mean(np.ptp(some.reshape(len(some), -1), axis=1) == 0) if x[0].size > 4 else 0
    yield blank > 0.1, FAIL, f"{blank:.0%} of the inputs are blank", blank, 0.1
    kinds, counts = np.unique(some[:500], return_counts=True)
    most = counts.max() / counts.sum()
    yield x.ndim > 2 and len(kinds) <= 3 and most > 0.98, FAIL if x.dtype.kind in "iu" else WARN, (
        f"{most:.1%} of the numbers are equal: x / 255 written into integers?"), most, 0.98
    yield x.ndim == 4 and x.shape[1] in (1, 3) and x.shape[3] > 4, WARN, "channels first?"
    met = as_met(case, some[:max(16, min(256, 10**6 // x[0].size))])
    low, high, apart = float(met.min()), float(met.max()), float(met.std(axis=0).max())
    largest, told = max(-low, high), f"the first kernel meets {low:.4g} to {high:.4g}"
    yield largest < 0.02, FAIL, f"{told}: divided by 255 twice?", largest, 0.02
    yield apart < 0.01 * largest, FAIL, f"{told}, all nearly alike: scaled twice?", apart, 0.01
    yield largest > limit and max(met.std(), abs(met.mean())) > 5 and not (  # as VGG has them
        -124 <= low < -90 < high < 152), FAIL, f"{told}: never scaled?", largest, limit
    yield True, PASS, told, largest, limit

def check_match(case, limit=1.5):
    """Training and test inputs have one shape and one scale."""
    a, b, bad = case.x, case.test[0], (~np.isfinite(case.test[0])).sum()
    yield a.shape[1:] != b.shape[1:], FAIL, f"shapes {a.shape[1:]} and, in test, {b.shape[1:]}"
    yield bad, FAIL, f"{bad:,} numbers of the test set are NaN or infinite", bad, 0
    parts = a[case.rows(3000)].astype(float), b[case.rows(3000, case.test_classes)].astype(float)
    (one, two), spreads = map(np.mean, parts), [part.std() for part in parts]
    ratio, few = max(spreads) / max(min(spreads), 1e-12), len(b) < 10
    told = "mean {:.3g} and {:.3g} in test, spread {:.3g} and {:.3g}".format(one, two, *spreads)
    yield ratio > limit or abs(one - two) > max(spreads), WARN if few else FAIL, (
        f"{told}: prepared alike?"), ratio, limit
    yield True, PASS, told, ratio, limit

def nearness(x, new):
    """Return distances from new inputs to the nearest in x / the 5th, in their best shift by 1."""
    small, images = shrink(x, 7), new.ndim in (3, 4) and min(new.shape[1:3]) > 8
    far = (small**2).sum(axis=1) - 2 * shrink(new, 7) @ small.T
    near = x[np.argpartition(far, 10, axis=1)[:, :10]].astype("float32").reshape(len(new), 10, -1)
    moved = [np.roll(new, (i, j), (1, 2)) if images else new for i in (0, 1, -1)
             for j in (0, 1, -1) if images or i == j == 0]
    best = np.sort(np.min([np.linalg.norm(near - m.reshape(len(new), 1, -1), axis=2)
                           for m in moved], axis=0), axis=1)
    return best[:, 0] / np.maximum(best[:, 4], 1e-9)

def check_leakage(case, limit=0.01):
    """No test input stands in the training set, be it with noise or shifted by a pixel."""
    a, b = case.x, case.test[0]
    yield a.shape[1:] != b.shape[1:], SKIP, "the two sets have inputs of two shapes"
    kind = min((t for t in (a.dtype, b.dtype) if t.kind == "f"), key=lambda t: t.itemsize,
               default=np.result_type(a, b))
    known, tests = ([hash((row.astype(kind) + kind.type(0)).tobytes()) for row in part]
                    for part in (a, b))
    where, own = {key: i for i, key in enumerate(known)}, 1 - len(set(known)) / len(a)
    copies = [(i, where[key]) for i, key in enumerate(tests) if key in where]
    share, told = len(copies) / len(b), f"of {len(b)} test inputs are in the training set"
    yield copies, FAIL if share > max(2 * own, limit / 20) else WARN, (
        f"{len(copies)} {told}, as {copies[:1]}; there {own:.1%} repeat"), share, 0
    if not copies and len(a) > 100 and a[0].size >= 16:
        rng = np.random.default_rng(case.seed)
        i, j = rng.permutation(len(b))[:400], rng.permutation(len(a))[:min(400, len(a) // 4)]
        near, own = nearness(a, b[i]) < 0.45, np.mean(nearness(np.delete(a, j, 0), a[j]) < 0.45)
        share, told = near.mean(), f"{told}, {near.mean():.1%} nearly, as {i[near][:1]}"
        yield share > limit, FAIL if share > 3 * own else WARN, (
            f"{told}; of training inputs {own:.1%} have a twin"), share, limit
    yield True, PASS, f"{len(copies)} {told}", share, limit

def check_labels(case, limit=2):
    """Labels are 0..K-1, all occur, in no order."""
    y, K, test = case.classes, max(2, case.K), case.test_classes
    if y.ndim == 2:
        idle = np.flatnonzero(np.ptp(y, axis=0) == 0)
        yield len(idle), WARN, f"labels {idle} of a row never change", len(idle), 0
        yield True, SKIP, f"{K} labels a row: nothing more to tell"
    known, counts = np.unique(y, return_counts=True)
    every = known if test is None else np.union1d(known, test)
    missing, new = np.setdiff1d(np.arange(K), known), np.setdiff1d(every, known)
    yield every[0] < 0 or every[-1] >= K, FAIL, (
        f"labels go from {every[0]} to {every[-1]}; {case.K} outputs serve 0 to {K - 1}"), every[-1]
    yield len(known) == 1, FAIL, f"every training label is {known[0]}", 1
    yield len(new), FAIL, f"test labels {new} never occur in training", len(new)
    yield len(missing) and len(y) > 20 * K, WARN, f"{K} outputs, and no label {missing[:9]}", K
    runs = (1 + np.sum(y[1:] != y[:-1])) / len(known)
    yield counts.min() > 3 and len(y) >= 10 * len(known) and runs <= limit, FAIL, (
        f"labels are sorted, {runs:.3g} runs a class: shuffle before any split"), runs, limit
    yield True, PASS, f"{len(known)} classes of {counts.min()} to {counts.max()} rows", runs, limit

def neighbours(x, y, new, labels):
    """Return how often most of 5 neighbours in x have the label, chance, and its deviation."""
    far = (x**2).sum(axis=1) - 2 * (x if new is None else new) @ x.T
    if new is None:  # of x itself; a row is not its own neighbour
        np.fill_diagonal(far, np.inf)
    known, (kinds, sizes) = np.unique(y), np.unique(labels, return_counts=True)
    votes = (y[np.argsort(far, axis=1)[:, :5], None] == known).sum(axis=1)
    right, p = known[votes.argmax(axis=1)] == labels, 1 / len(kinds)
    return (np.mean([right[labels == c].mean() for c in kinds]), p,
            p * np.sqrt(np.sum(p * (1 - p) / sizes)))

def check_pairs(case, limit=4):
    """Neighbours share a label more often than chance: labels belong to their inputs."""
    i, y = case.rows(1000), case.column(case.classes)
    x, y, least = shrink(case.x[i], 28), y[i], np.unique(y, return_counts=True)[1].min()
    yield least < 12 or np.ptp(y) == 0, SKIP, f"too few rows to tell: {least} of a class", least
    scale = x.std(axis=0) + 1e-9 if case.x.ndim == 2 else 1
    x, fit, new, new_y = x / scale, i[::2], case.x[i[1::2]], case.y[i[1::2]]
    own, p, sd = neighbours(x, y, None, y)
    told, bar = f"neighbours share {own:.0%} of the labels in training", p + limit * sd
    j, v = (case.rows(1000, case.test_classes), case.column(case.test_classes)) if case.test else (
        [], y[:0])
    if len(v) and case.test[0].shape[1:] == case.x.shape[1:] and np.isin(v, y).all() and (
            np.unique(v, return_counts=True)[1].min() > 11):
        fit, new, new_y, v, n = i, case.test[0][j], case.test[1][j], v[j], len(j)
        u = shrink(new, 28) / scale
        there, (alone, q, sd) = neighbours(x, y, u, v)[0], neighbours(u, v, None, v)
        same = neighbours(x[:n], y[:n], None, y[:n])[0]
        told += f", {there:.0%} from training to test, {alone:.0%} in test"
        def far(a, b):  # a is less than 60 % of the way from chance to b
            return a + 2 * np.sqrt(a * (1 - a) / n) < p + 0.6 * (b - p)
        yield own < bar and alone > q + limit * sd, FAIL, f"{told}: shuffled?", own, bar
        yield own > bar and far(there, own), FAIL, f"{told}: prepared alike?", there, own
        yield far(same, alone), WARN, f"{told}: some training labels wrong?", same, alone
    if own < bar:  # in some data neighbours tell nothing: ask the network
        guess = case.prices(i)[1]
        case.learn(fit, 300, lambda: case.loss_of(new, new_y) < 0.9 * guess)
        left = case.loss_of(new, new_y) / guess
        told += f"; your network brings the loss to {left:.2f} of guessing"
        yield left > 0.9, FAIL, f"{told}: do labels belong to their inputs?", own, bar
    yield True, PASS, told, own, bar

# --- the network before it learns ---
def odd_metric(case, i, expects):
    """Return what is odd about a metric that is shown right answers, and wrong ones."""
    logits, found, y = expects == "logits", [], keras.ops.convert_to_tensor(case.y[i])
    right = case.right(i, size=0.3) if logits else case.right(i, doubt=0.4)
    shown = [a.astype("float32") for a in (right, -right if logits else 1 - right)]
    for scores in shown:
        case.model.reset_metrics()
        found.append(case.model.compute_metrics(None, y, keras.ops.convert_to_tensor(scores)))
    losses = [case.loss(scores, case.y[i]) for scores in shown]
    for name, good, bad in ((n, float(found[0][n]), float(found[1][n])) for n in found[0]):
        if ("acc" in name and (good < 0.99 or case.one_of_K and bad > 0.5) or "entropy" in name
                and not max(good - 2 * losses[0], bad - 2 * losses[1]) < 0.5):
            return f"{name} is {good:.3g} for right answers, {bad:.3g} for wrong: which scores?"

def check_start(case, limit=2):
    """Before training the loss is that of guessing; scores are what loss and metrics expect."""
    i, name, loss, (kind, odd) = case.rows(256), case.loss_name, case.model.loss, case.kind
    yield not np.isfinite(case.scores(case.x[i])).all(), FAIL, "some scores are NaN or infinite"
    of_keras = isinstance(loss, str) or loss.__module__.startswith("keras")
    yield of_keras and case.K > 1 and case.y.size == len(case.y) and "sparse" not in name, FAIL, (
        f"{name} needs {case.K} numbers a label, and gets one")
    yield of_keras and case.K == 1 and "categorical" in name, FAIL, f"{name} needs several outputs"
    try:
        begin, (expects, guess, _) = case.loss_of(case.x[i], case.y[i]), case.prices(i)
    except Exception as e:
        yield True, FAIL, f"the loss cannot judge these scores and labels: {line(e)}"
    numeric = any(w in name for w in ("square", "absol", "mse", "mae", "huber", "poiss"))
    yield numeric, WARN, f"{name} is a loss for numbers: for classes take a cross-entropy"
    if kind and not numeric and "hinge" not in name:
        yield "second" in odd, FAIL, f"a {odd} keeps the loss up"
        yield (kind == "logits") != (expects == "logits"), FAIL, (
            f"outputs are {kind}, the loss expects {expects}: set from_logits={kind == 'logits'}")
        yield kind == "sigmoids" and case.one_of_K and ("categ" in name or "div" in name), FAIL, (
            "outputs are sigmoids, or a softmax along a wrong axis, for one right class")
        yield kind == "probabilities" and "binary" in name, WARN, "softmax, and a binary loss"
    told = f"{kind}; the loss starts at {begin:.3g}, guessing costs {guess:.3g}"
    yield not begin < 2.5 * limit * guess, FAIL, f"{told}: weights too large?", begin / guess, limit
    yield begin > limit * guess + 0.5, WARN, f"{told}: weights too large?", begin / guess, limit
    try:
        metric = odd_metric(case, i, expects)
    except Exception as e:
        metric = f"a metric cannot judge these scores and labels: {line(e)}"
    yield metric, WARN, metric
    yield True, PASS, told, begin / guess, limit

def check_calm(case, limit=0.002):
    """Test mode scores a row alike twice, and alone; dropout and batch norm act in training."""
    x, model = case.x[case.rows(32)], case.model
    limit = 0.03 if "16" in model.compute_dtype else limit
    def differ(a, b):
        return np.abs(a - b).max() > limit * max(np.abs(a).max(), np.abs(b).max(), 1e-6)
    test, again, alone = case.scores(x), case.scores(x), case.scores(x[-1:])
    yield differ(test, again), FAIL, "two passes in test mode differ: what is random there?"
    yield differ(alone, test[-1:]), FAIL, "in test mode scores depend on the batch's other rows"
    with listening() as calls:
        train, other = case.scores(x, True), case.scores(x, True)
    moved = {id(v) for v, old in case.kept if not np.array_equal(numpy(v), old)}
    layers = {id(a): (a, given, out) for a, given, out in calls}.values()
    case.restore()
    for a, given, out in layers:
        name, rate, momentum = title(a, calls), getattr(a, "rate", 0), getattr(a, "momentum", 1)
        rate = rate if isinstance(rate, float) else 0
        idle = a.trainable and 0 < rate < 1 and given.any() and (given == out).all()
        yield idle, FAIL, f"{name} never acts, not in train mode either"
        yield 0.6 < rate < 1, WARN, f"{name} drops {rate:.0%}: a share to keep?", rate, 0.6
        if hasattr(a, "moving_mean") and a.trainable:
            yield id(a.moving_mean) not in moved, WARN if np.ptp(numpy(a.moving_mean)) else FAIL, (
                f"{name} never learns its statistics: called with training=False?")
            yield not 0.5 <= momentum <= 0.9995, WARN, (
                f"{name} has momentum {momentum:g}; 0.1 elsewhere is 0.9 in Keras"), momentum, 0.5
    yield differ(train, test) and not differ(train, other) and not moved, FAIL, (
        "train mode gives other scores than test mode, and no layer says why")
    yield np.mean(train == 0) > np.mean(test == 0) + 0.05, FAIL, "dropout after the last layer"
    bare = keras.ops.cast(model(x), "float32")
    yield differ(numpy(bare), test) and not any("Random" in type(a).__name__ for a, *_ in layers), (
        WARN), "model(x) is not in test mode"
    yield True, PASS, "test mode is calm", None, limit

def straight_pair(calls):
    """Return two layers without an activation between; "" for bottlenecks, kernels in two parts."""
    calls = [c for c in calls if type(c[0]).__name__.startswith(("Dense", "Conv", "Separable"))]
    for n, (a, _, out) in enumerate(calls):
        for b, given, _ in calls[n + 1:]:
            if a.activation is keras.activations.linear and np.array_equal(
                    given.ravel(), out.ravel()):
                sizes = [getattr(c, "kernel_size", (1,)) for c in (a, b)]
                parts = all(max(s) > 1 for s in sizes) and (np.min(sizes, axis=0) == 1).all()
                grouped = any(getattr(c, "groups", 1) > 1 for c in (a, b))
                narrow = out.shape[-1] < min(np.prod(a.weights[0].shape[:-1]), (
                    b.filters if hasattr(b, "filters") else b.units))
                if not (parts or grouped or narrow):
                    return f"{title(a, calls)} and {title(b, calls)}"

def check_nonlinear(case, limit=0.001):
    """f(a) + f(b) is not f(.3 a + .7 b) + f(.7 a + .3 b); nothing squashes the last scores."""
    x, (kind, odd) = case.x[case.rows(32)].astype("float32"), case.kind
    yield "ReLU" in odd or odd == "tanh" and "hinge" not in case.loss_name, FAIL, (
        f"a {odd} squashes the scores: give them as the last layer has them")
    with listening() as calls:
        case.scores(x)
    pair, count = straight_pair(calls), len({id(a) for a, *_ in calls if has_kernel(a)})
    yield pair, WARN, f"no activation between {pair}"
    for w in case.kernels:
        if not numpy(w).any():  # zeros would hide all
            w.assign(np.random.default_rng(0).normal(0, 0.1, w.shape))
    def f(t):
        z = case.scores(t * x + (1 - t) * np.roll(x, -1, axis=0)).astype(float)
        if kind == "sigmoids":
            return np.log(z.clip(1e-30)) - np.log((1 - z).clip(1e-30))
        z = np.log(z.clip(1e-30)) if kind == "probabilities" else z
        return z - z.mean(axis=1, keepdims=True) * (case.K > 1)
    ends = f(1) + f(0)
    bend = max(np.abs(ends - f(t) - f(1 - t)).max() for t in (0.3, 4, -6)) / max(np.ptp(ends), 1e-9)
    yield count > 1 and bend < limit, FAIL, f"{count} layers, and all is linear", bend, limit
    yield True, PASS, "activations act" if count > 1 else "one layer, linear by design", bend, limit

# --- how it learns ---
def check_learning(case, limit=0.8):
    """Some steps move every kernel, its units stay different, and most units are alive."""
    first, i, case.steps = [numpy(w) for w in case.kernels], case.rows(16), []
    own, after = getattr(case.model.optimizer, "inner_optimizer", case.model.optimizer), first
    yield not first, FAIL, "no weight is trainable", 0
    decay, own.weight_decay = own.weight_decay, None  # which moves what has no gradient
    for step in range(1, 21):
        before = after
        case.model.train_on_batch(case.x[i], case.y[i])
        after = [numpy(w) for w in case.kernels]
        case.steps.append(np.median([np.linalg.norm(a - b) / np.linalg.norm(b) for a, b, old in zip(
            after, before, first, strict=True) if old.any()] or [0.001]))
        still = [f"{w.name} {w.shape}" for w, a, b in zip(case.kernels, after, first, strict=True)
                 if (a == b).all()]
        if step > 2 and not still:
            break
    own.weight_decay = decay
    with listening() as calls:
        case.scores(case.x[case.rows(64)])
    yield still, FAIL, f"{step} steps do not move {', '.join(still[:3])}", len(still), 0
    for w, a in zip(case.kernels, after, strict=True):
        a = a.reshape(-1, a.shape[-1])
        yield not np.isfinite(a).all(), FAIL, f"{step} steps make {w.name} {w.shape} NaN"
        yield a.shape[1] > 1 and np.ptp(a, axis=1).max() <= 1e-6 * np.abs(a).max(), FAIL, (
            f"the units of {w.name} {w.shape} are equal, and stay so")
    frozen = [title(a, calls) for a, *_ in calls if has_kernel(a) and not a.trainable]
    yield frozen, WARN, f"frozen: {' '.join(frozen[:2])} on purpose?", len(frozen)
    relu = [(np.mean(~out.reshape(-1, out.shape[-1]).any(axis=0)), title(a, calls))
            for a, _, out in calls
            if type(a).__name__ == "ReLU" or getattr(a, "activation", 0) is keras.activations.relu]
    worst, name = max(relu, default=(0, ""))
    yield worst > limit, FAIL, f"{worst:.0%} of the units of {name} are dead", worst, limit
    yield True, PASS, f"all kernels move; at most {worst:.0%} of a layer are dead", worst, limit

def check_update_size(case, limit=0.1):
    """A step changes kernels by about a thousandth of their size: 1e-6 to the limit."""
    if not hasattr(case, "steps"):
        list(check_learning(case))
    size = float(np.median([n for n in case.steps if n] or [0]))  # gathered gradients: 0 often
    told, odd = f"a step changes the weights by {size:.1g} of their size", not 1e-6 <= size <= limit
    yield True, WARN if odd else PASS, told + "; 0.001 is usual: the rate?" * odd, size, limit

def check_one_batch(case, limit=0.1):
    """Your network, loss and optimizer learn 16 inputs by heart."""
    i = list({case.x[i].tobytes(): i for i in case.rows(200)[::-1]}.values())[::-1][:16]
    x, y, (_, guess, floor), rates = case.x[i], case.y[i], case.prices(np.array(i)), []
    history = [case.loss_of(x, y)]
    def done():
        history.append(case.loss_of(x, y))
        rates.append(float(numpy(case.model.optimizer.learning_rate)))
        return not history[-1] - floor >= limit * (guess - floor)
    steps, last = case.learn(i, 400, done), history[-1]
    share, gain = np.array([last - floor, min(history[:-4] or [last]) - last]) / (guess - floor)
    told = f"{steps} steps bring the loss of {len(i)} inputs from {history[0]:.3g} to {last:.3g}"
    yield share < limit, PASS, told, share, limit
    slow = 0.02 < gain and share < 0.97 or rates[-1] < 1e-3 * max(rates)
    yield share >= limit and slow, WARN, f"{told}, slowly: the rate, its schedule?", share, limit
    penalty = sum(float(numpy(p).sum()) for p in case.model.losses)
    why = ("a rate too high" if not last < 1.5 * guess else f"penalties of {penalty:.3g}"
           if penalty > 3 * guess else "a rate too low, no way for the gradient"
           if not case.kind[1] else f"a {case.kind[1]}; softmax twice ends at "
           f"{np.log(1 + (case.K - 1) / np.e):.3f}")
    yield not share < limit and not slow, FAIL, f"{told}: {why}?", share, limit

def check_blank_input(case, limit=0.9):
    """After a little training the network does better with its inputs than with zeros."""
    i = case.rows(64)
    x, y, even = case.x[i], case.y[i], case.prices(i)[1]
    def ratio():
        return case.loss_of(x, y) / min(case.loss_of(0 * x, y), even)
    first, steps, last = ratio(), case.learn(case.rows(512), 200, lambda: ratio() < limit), ratio()
    status = PASS if last < limit else WARN if last < first - 0.002 else FAIL
    told = f"{steps} steps bring the loss to {last:.2f} of what it is without inputs"
    yield True, status, told, last, limit

CHECKS = {name[6:].replace("_", " "): f for name, f in globals().items() if name[:6] == "check_"}
LIMITS = {name: f.__defaults__[0] for name, f in CHECKS.items()}  # move one if you like
SECTIONS = dict(zip(CHECKS, [DATA] * 5 + [BEFORE] * 3 + [LEARNS] * 4, strict=True))

# --- run them ---
def check(build_or_model, train, test=None, only=None, skip=(), seed=0, budget=None):
    """Run the checks and return a Report.

    build_or_model: a function that returns a fresh compiled network, or a compiled model, which is
    copied. train, test: pairs (x, y) of arrays. only, skip: names of checks. budget: seconds after
    which no check starts. The random states of Python and NumPy are left as they were; Keras' own
    is seeded. Raises ValueError or TypeError for what cannot be checked.
    """
    only = CHECKS if only is None else [only] if isinstance(only, str) else list(only)
    skip = [skip] if isinstance(skip, str) else list(skip)
    if unknown := [name for name in [*only, *skip] if name not in CHECKS]:
        raise ValueError(f"no check is called {unknown}, only {list(CHECKS)}")
    train, test = as_arrays(train, "train"), test if test is None else as_arrays(test, "test")
    python, state, begin, report = random.getstate(), np.random.get_state(), time.time(), Report()
    try:
        keras.utils.set_random_seed(seed)
        case = Case(get_network(build_or_model), train, test, seed)
        for name in (name for name in CHECKS if name in only and name not in skip):
            late = budget is not None and time.time() - begin > budget
            found = [SKIP, f"the budget of {budget} s is used up"] if late else run(case, name)
            value, limit = [None if n is None else float(n) for n in [*found, None, None][2:4]]
            report[name] = Result(name, *found[:2], value, limit, BOOK + PAGE + SECTIONS[name])
            case.restore()
    finally:
        random.setstate(python)
        np.random.set_state(state)
    return report

def run(case, name):
    """Return the worst finding of one check."""
    found = [[SKIP, "no test set"]] * (case.test is None and name in ("match", "leakage"))
    try:
        with warnings.catch_warnings(action="ignore"), np.errstate(all="ignore"):
            for holds, *finding in () if found else CHECKS[name](case, LIMITS[name]):
                found += [finding] * bool(holds)
                if holds and finding[0] in (FAIL, SKIP):
                    break
    except Exception as e:
        found.append([SKIP, f"the check cannot run: {line(e)}"])
    return min(found, key=lambda f: (FAIL, WARN, SKIP, PASS).index(f[0]))

def show_batch(build_or_model, train, seed=0):
    """Return 16 inputs with labels, in characters, as the first kernel meets them in training."""
    case = Case(get_network(build_or_model), as_arrays(train, "train"), None, seed)
    i, ink = case.rows(16), " .:-=+*#%@"
    met = as_met(case, case.x[i])
    text = [f"from {met.min():.3g} ({ink[0]!r}) to {met.max():.3g} ({ink[-1]!r})"]
    shades = (9 * (met - met.min()) / max(np.ptp(met), 1e-9)).round().astype(int)
    for k, a in zip(i, shades.max(axis=-1) if met.ndim == 4 else shades, strict=True):
        a = np.atleast_2d(a)
        down, across = (np.linspace(0, m - 1, min(m, n)).astype(int) for m, n in zip(
            a.shape, (14, 28), strict=True))
        text += [f"label {case.y[k]}", *("".join(ink[n] for n in row).rstrip()
                                         for row in a[np.ix_(down, across)])]
    return "\n".join(text)
