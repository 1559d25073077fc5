"""CS 20's network and chapter 14's recipes in PyTorch and in JAX, each as its own users write it.

    python others.py torch                 all of it, with a table; on a GPU where there is one
    python others.py jax steps             only the milliseconds of a training step
    python others.py torch accuracy        only the seconds to each mark, three seeds
    python others.py torch check           only: is it the same network?
    python others.py torch epoch           only: test accuracy of each kind after an epoch
    python others.py torch serve           answers tools/make/frameworks.py

This file needs NumPy, MNIST (data/mnist.npz, or --mnist PATH), and torch or jax; nothing else of
the book. Weights start from the numbers of chapter 10's init_parameters; batches lie ready
on the device, in the order of the file. A block of steps is timed as a whole, and the clock stops
when the device has done its work. --json PATH stores what was measured.
"""

import argparse
import json
import math
import os
import pathlib
import platform
import statistics
import sys
import time
import types

import numpy as np

BATCH, RATE, TRAINING = 128, 0.001, 55_000
SHAPES = {  # chapter 10's eight arrays
    "wc1": (5, 5, 1, 32), "bc1": (32,), "wc2": (5, 5, 32, 64), "bc2": (64,),
    "wd1": (7 * 7 * 64, 1024), "bd1": (1024,), "out_w": (1024, 10), "out_b": (10,)}
SMALL, LARGER = "small", "larger"  # chapter 14's two networks
RECIPES = {  # chapter 14's RECIPES that reach the mark on the test images
    "98.18 %": dict(network=SMALL, images=22_000, passes=1, batch=128, shift=0),
    "99 %": dict(network=SMALL, images=None, passes=2, batch=128, shift=0),
    "99.5 %": dict(network=LARGER, images=None, passes=3, batch=256, shift=1)}
PEAK, BETAS, EPSILON, SMOOTHING = 0.008, (0.7, 0.9), 1e-7, 0.05  # of each of them
PRODUCTS = {1024: 24, 2048: 4}  # sizes of the matrices whose products measure the peak, how many


def load(path):
    """Return {"train", "test"}: images (N, 28, 28), float32 in 0..1, and labels, int32."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    images = {name: arrays[f"x_{name}"] / np.float32(255) for name in ("train", "test")}
    return {"train": (images["train"][:TRAINING], arrays["y_train"][:TRAINING].astype(np.int32)),
            "test": (images["test"], arrays["y_test"].astype(np.int32))}


def glorot(rng, shape):
    """Return uniform random numbers of Glorot's width for a kernel (..., in, out)."""
    fans = np.prod(shape[:-2]) * (shape[-2] + shape[-1])
    return rng.uniform(-1, 1, shape) * np.sqrt(6 / fans)


def first_weights(seed):
    """Return the numbers of chapter 10's init_parameters(seed), float32 arrays in its order."""
    rng, weights = np.random.default_rng(seed), {}
    for name, shape in SHAPES.items():
        value = glorot(rng, shape) if len(shape) > 1 else np.zeros(shape)
        weights[name] = value.astype(np.float32)
    return weights


def triangle(step, steps):
    """Return the share of the peak rate at `step`, from 0: chapter 14's Triangle."""
    t = (step + 1) / (steps + 1)
    return min(t / 0.3, (1 - t) / 0.7)


def shifted(x, most, rng):
    """Return images (N, H, W), each moved by up to `most` pixels: as in chapter 14."""
    N, H, W = x.shape
    wide = np.pad(x, ((0, 0), (most, most), (most, most)))
    down, right = rng.integers(0, 2 * most + 1, (2, N, 1, 1))
    rows, columns = down + np.arange(H)[:, np.newaxis], right + np.arange(W)
    return wide[np.arange(N)[:, np.newaxis, np.newaxis], rows, columns]


def without_first(start, marks, shifting=0.0):
    """Return the seconds of a training whose first step counts as its mean step, and the whole.

    start: when the building began; marks: the time after the first step and after the last, and
    the number of steps; shifting: seconds spent before the first mark that belong to the training.
    """
    first, last, n = marks
    return {"seconds": (last - first) * n / (n - 1) + shifting, "whole": last - start}


class Torch:
    """PyTorch: default layout, channels last, compiled; Adam is its fused one."""

    kinds = ("NCHW", "channels_last", "channels_last, compiled",
             "channels_last, pooled before the ReLU")

    def __init__(self, data):
        import torch

        self.torch, self.data = torch, data
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        if self.device.type == "cpu":
            torch.set_num_threads(cores())
        self.on_device = {name: (torch.from_numpy(x)[:, None].to(self.device),
                                 torch.from_numpy(y).long().to(self.device))
                          for name, (x, y) in data.items()}
        self.running = {}

    def about(self):
        torch, cuda = self.torch, self.device.type == "cuda"
        return {"torch": torch.__version__, "threads": torch.get_num_threads(),
                "device": torch.cuda.get_device_name() if cuda else "cpu"}

    def wait(self):
        if self.device.type == "cuda":
            self.torch.cuda.synchronize()

    def product(self, size, count):
        """Return the seconds of a product of two float32 matrices, the mean of `count`."""
        a = self.torch.ones((size, size), device=self.device)
        a @ a
        self.wait()
        start = now()
        for _ in range(count):
            a @ a
        self.wait()
        return (now() - start) / count

    def lecture(self, kind="NCHW", dropout=0.25):
        """Return CS 20's network with chapter 10's first weights."""
        nn, torch = self.torch.nn, self.torch

        def half():
            parts = [nn.ReLU(), nn.MaxPool2d(2)]
            return parts[::-1] if "before" in kind else parts

        model = nn.Sequential(
            nn.Conv2d(1, 32, 5, padding=2), *half(), nn.Conv2d(32, 64, 5, padding=2), *half(),
            nn.Flatten(), nn.Linear(7 * 7 * 64, 1024), nn.ReLU(), nn.Dropout(dropout),
            nn.Linear(1024, 10))
        weights = first_weights(0)
        rows = weights["wd1"].reshape(7, 7, 64, 1024)  # nn.Flatten goes map by map
        weights["wd1"] = rows.transpose(2, 0, 1, 3).reshape(-1, 1024)
        with torch.no_grad():
            for own, value in zip(model.parameters(), weights.values(), strict=True):
                if value.ndim > 1:  # PyTorch: outputs first, then inputs, then rows and columns
                    value = value.transpose(3, 2, 0, 1) if value.ndim == 4 else value.T
                own.copy_(torch.from_numpy(value.copy()))
        model.to(self.device)
        return model.to(memory_format=torch.channels_last) if "channels_last" in kind else model

    def stepper(self, model, optimizer, smoothing=0.0, kind=""):
        """Return step(x, y), which trains; it returns the loss, on the device."""
        torch = self.torch
        if "compiled" in kind:
            graphs = "reduce-overhead" if self.device.type == "cuda" else "default"
            model = torch.compile(model, mode=graphs)

        def step(x, y):
            loss = torch.nn.functional.cross_entropy(model(x), y, label_smoothing=smoothing)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            return loss.detach()

        return step

    def adam(self, model, rate, betas=(0.9, 0.999)):
        return self.torch.optim.Adam(model.parameters(), rate, betas, EPSILON, fused=True)

    def batches(self, kind, count):
        x, y = (part[:count * BATCH].split(BATCH) for part in self.on_device["train"])
        if "channels_last" in kind:
            x = [part.contiguous(memory_format=self.torch.channels_last) for part in x]
        return list(zip(x, y, strict=True))

    def start(self, kind):
        """Return a training of one kind that goes on where it was: run(n) returns the loss."""
        model = self.lecture(kind)
        step = self.stepper(model, self.adam(model, RATE), kind=kind)
        feed = forever(self.batches(kind, TRAINING // BATCH))

        def run(n):
            for _ in range(n):
                loss = step(*next(feed))
            self.wait()
            return loss.item()

        return run, lambda: self.accuracy(model)

    def accuracy(self, model):
        """Return the share of right answers on the test set."""
        x, y = self.on_device["test"]
        model.eval()
        with self.torch.no_grad():
            right = sum((model(a).argmax(1) == b).sum()
                        for a, b in zip(x.split(500), y.split(500), strict=True))
        model.train()
        return right.item() / len(y)

    def check(self):
        """Return the logits of the first batch, and three losses on it without dropout."""
        model = self.lecture(dropout=0.0)
        [(x, y)] = self.batches("", 1)
        with self.torch.no_grad():
            logits = model(x).cpu().numpy()
        step = self.stepper(model, self.adam(model, RATE))
        return checked(logits, [step(x, y).item() for _ in range(3)],
                       sum(p.numel() for p in model.parameters()))

    def network(self, name):
        """Return one of chapter 14's networks with Keras' first weights: Glorot's, biases 0."""
        nn = self.torch.nn
        if name == SMALL:
            layers = [nn.Conv2d(1, 16, 5, stride=2), nn.MaxPool2d(2), nn.ReLU(),
                      nn.Conv2d(16, 32, 3), nn.ReLU(), nn.Flatten(), nn.Linear(512, 128)]
        else:
            layers = [nn.Conv2d(1, 16, 5), nn.MaxPool2d(2), nn.ReLU(), nn.Conv2d(16, 48, 3),
                      nn.MaxPool2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(1200, 256)]
        layers += [nn.ReLU(), nn.Linear(layers[-1].out_features, 10)]
        for layer in layers:
            if hasattr(layer, "weight"):
                nn.init.xavier_uniform_(layer.weight)
                nn.init.zeros_(layer.bias)
        return nn.Sequential(*layers).to(self.device, memory_format=self.torch.channels_last)

    def train(self, mark, seed):
        """Return the seconds and the test accuracy of one recipe of chapter 14."""
        torch, recipe, rng = self.torch, RECIPES[mark], np.random.default_rng(seed)
        images, (_, labels) = self.data["train"][0][:recipe["images"]], self.on_device["train"]
        batch, still = recipe["batch"], (self.on_device["train"][0] - 0.1307) / 0.3081
        start = now()
        torch.manual_seed(seed)
        model = self.network(recipe["network"])
        optimizer = self.adam(model, PEAK, BETAS)
        steps = recipe["passes"] * math.ceil(len(images) / batch)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda i: triangle(i, steps))
        step, first, before = self.stepper(model, optimizer, SMOOTHING), None, 0.0
        for _ in range(recipe["passes"]):
            begin, x = now(), still
            if recipe["shift"]:
                x = torch.from_numpy(shifted(images, recipe["shift"], rng))[:, None]
                x = (x.to(self.device) - 0.1307) / 0.3081
            if first is None:
                before = now() - begin
            order = torch.from_numpy(rng.permutation(len(images))).to(self.device)
            for chosen in order.split(batch):
                step(x[chosen], labels[chosen])
                schedule.step()
                if first is None:
                    self.wait()
                    first = now()
        self.wait()
        found = without_first(start, (first, now(), steps), before)
        x, y = self.on_device["test"]
        model.eval()
        with torch.no_grad():
            logits = model((x - 0.1307) / 0.3081)
        return found | {"test": (logits.argmax(1) == y).float().mean().item()}


class Jax:
    """JAX: one jitted step, channels last; weights and memories are donated; optax's Adam."""

    kinds = ("jit", "jit, pooled by reshape", "jit, pooled before the ReLU")

    def __init__(self, data):
        import jax
        import jax.numpy as jnp

        try:
            import optax
        except ImportError:  # then Adam is written out, below
            optax = None
        self.jax, self.jnp, self.optax, self.data = jax, jnp, optax, data
        self.on_device = {name: (jnp.asarray(x[..., np.newaxis]), jnp.asarray(y))
                          for name, (x, y) in data.items()}

    def about(self):
        device = self.jax.devices()[0]
        name = device.device_kind if device.platform != "cpu" else "cpu"
        return {"jax": self.jax.__version__, "optax": getattr(self.optax, "__version__", None),
                "threads": cores(), "device": name}

    def product(self, size, count):
        """Return the seconds of a product of two float32 matrices, the mean of `count`."""
        a = self.jnp.ones((size, size))
        (a @ a).block_until_ready()
        start = now()
        for _ in range(count):
            b = a @ a
        b.block_until_ready()
        return (now() - start) / count

    def convolution(self, x, w, b, padding, stride=1):
        names = ("NHWC", "HWIO", "NHWC")
        return self.jax.lax.conv_general_dilated(
            x, w, (stride, stride), padding, dimension_numbers=names) + b

    def pool(self, x, kind=""):
        """Return the largest of each 2 by 2 pixels."""
        if "reshape" in kind or "before" in kind:
            N, H, W, C = x.shape
            x = x[:, :H // 2 * 2, :W // 2 * 2]
            return x.reshape(N, H // 2, 2, W // 2, 2, C).max((2, 4))
        size = (1, 2, 2, 1)
        return self.jax.lax.reduce_window(x, -np.inf, self.jax.lax.max, size, size, "VALID")

    def lecture(self, p, x, key=None, kind=""):
        """Return the logits of CS 20's network; with a key, some numbers are dropped."""
        relu = self.jax.nn.relu
        for i in "12":
            x = self.convolution(x, p["wc" + i], p["bc" + i], "SAME")
            x = relu(self.pool(x, kind)) if "before" in kind else self.pool(relu(x), kind)
        x = relu(x.reshape(len(x), -1) @ p["wd1"] + p["bd1"])
        if key is not None:
            kept = self.jax.random.bernoulli(key, 0.75, x.shape)
            x = self.jnp.where(kept, x / 0.75, 0)
        return x @ p["out_w"] + p["out_b"]

    def adam(self, rate, betas=(0.9, 0.999)):
        """Return optax's Adam, or what does the same; rate: a number or a function of the count."""
        if self.optax:
            return self.optax.adam(rate, *betas, EPSILON)
        jnp, each = self.jnp, self.jax.tree.map

        def init(p):
            return jnp.zeros((), jnp.int32), each(jnp.zeros_like, p), each(jnp.zeros_like, p)

        def update(gradients, state):
            count, (b1, b2) = state[0] + 1, betas
            mean = each(lambda m, g: b1 * m + (1 - b1) * g, state[1], gradients)
            square = each(lambda v, g: b2 * v + (1 - b2) * g**2, state[2], gradients)
            now = rate(state[0]) if callable(rate) else rate
            moves = each(lambda m, v: -now * m / (1 - b1**count)
                         / (jnp.sqrt(v / (1 - b2**count)) + EPSILON), mean, square)
            return moves, (count, mean, square)

        return types.SimpleNamespace(init=init, update=update)

    def stepper(self, logits, optimizer, smoothing=0.0):
        """Return step(p, state, x, y, key), jitted: the new p and state, and the loss.

        logits: a function of p, x and key. key: a number, or the places of the batch in x and y.
        """
        jax = self.jax

        def cost(p, x, y, key):
            if np.ndim(key):
                x, y = x[key], y[key]
            soft = jax.nn.one_hot(y, 10) * (1 - smoothing) + smoothing / 10
            return -(soft * jax.nn.log_softmax(logits(p, x, key))).sum(axis=1).mean()

        def step(p, state, x, y, key):
            loss, gradients = jax.value_and_grad(cost)(p, x, y, key)
            updates, state = optimizer.update(gradients, state)
            return jax.tree.map(self.jnp.add, p, updates), state, loss

        return jax.jit(step, donate_argnums=(0, 1))

    def start(self, kind):
        """Return a training of one kind that goes on where it was: run(n) returns the loss."""
        jax, jnp = self.jax, self.jnp
        p = {name: jnp.asarray(value) for name, value in first_weights(0).items()}
        optimizer = self.adam(RATE)
        state = optimizer.init(p)
        key = jax.random.key(0)

        def logits(p, x, count):
            return self.lecture(p, x, jax.random.fold_in(key, count), kind)

        step = self.stepper(logits, optimizer)
        x, y = self.on_device["train"]
        feed = forever([jax.block_until_ready((x[i:i + BATCH], y[i:i + BATCH]))
                        for i in range(0, TRAINING - BATCH + 1, BATCH)])
        held = {"p": p, "state": state, "count": 0}

        def run(n):
            for _ in range(n):
                held["p"], held["state"], loss = step(
                    held["p"], held["state"], *next(feed), np.int32(held["count"]))
                held["count"] += 1
            jax.block_until_ready(held["p"])
            return float(loss)

        return run, lambda: self.accuracy(held["p"], self.lecture)

    def accuracy(self, p, logits):
        """Return the share of right answers on the test set."""
        answer = self.jax.jit(lambda p, x: logits(p, x).argmax(1))
        x, y = self.on_device["test"]
        found = [answer(p, x[i:i + 500]) == y[i:i + 500] for i in range(0, len(y), 500)]
        return float(self.jnp.concatenate(found).mean())

    def check(self):
        """Return the logits of the first batch, and three losses on it without dropout."""
        p = {name: self.jnp.asarray(value) for name, value in first_weights(0).items()}
        x, y = (part[:BATCH] for part in self.on_device["train"])
        logits, optimizer = self.lecture(p, x), self.adam(RATE)
        step = self.stepper(lambda p, x, _: self.lecture(p, x), optimizer)
        state, losses, count = optimizer.init(p), [], sum(v.size for v in p.values())
        for _ in range(3):
            p, state, loss = step(p, state, x, y, 0)
            losses.append(float(loss))
        return checked(np.asarray(logits), losses, count)

    def network(self, name, seed):
        """Return (p, logits) of one of chapter 14's networks: Glorot's weights, biases 0."""
        shapes = [(5, 5, 1, 16), (3, 3, 16, 32), (512, 128), (128, 10)]
        if name == LARGER:
            shapes = [(5, 5, 1, 16), (3, 3, 16, 48), (1200, 256), (256, 10)]
        rng, jnp, relu = np.random.default_rng(seed), self.jnp, self.jax.nn.relu
        p = [(jnp.asarray(glorot(rng, s), jnp.float32), jnp.zeros(s[-1])) for s in shapes]

        def logits(p, x):
            (w1, b1), (w2, b2), (w3, b3), (w4, b4) = p
            x = self.convolution((x - 0.1307) / 0.3081, w1, b1, "VALID", 1 + (name == SMALL))
            x = self.convolution(relu(self.pool(x, "reshape")), w2, b2, "VALID")
            x = relu(x if name == SMALL else self.pool(x, "reshape"))
            return relu(x.reshape(len(x), -1) @ w3 + b3) @ w4 + b4

        return p, logits

    def train(self, mark, seed):
        """Return the seconds and the test accuracy of one recipe of chapter 14.

        The last batch of a pass, which is smaller, is left out: it would be compiled anew.
        """
        jax, jnp = self.jax, self.jnp
        recipe, rng = RECIPES[mark], np.random.default_rng(seed)
        images, batch = self.data["train"][0][:recipe["images"]], recipe["batch"]
        still, labels = self.on_device["train"]
        start = now()
        p, logits = self.network(recipe["network"], seed)
        a_pass = len(images) // batch
        steps = recipe["passes"] * a_pass

        def rate(count):
            t = (count + 1) / (steps + 1)
            return PEAK * jnp.minimum(t / 0.3, (1 - t) / 0.7)

        optimizer = self.adam(rate, BETAS)
        state, first, before = optimizer.init(p), None, 0.0
        step = self.stepper(lambda p, x, _: logits(p, x), optimizer, SMOOTHING)
        for _ in range(recipe["passes"]):
            begin, x = now(), still
            if recipe["shift"]:
                x = jnp.asarray(shifted(images, recipe["shift"], rng)[..., np.newaxis])
            if first is None:
                before = now() - begin
            order = rng.permutation(len(images))[:a_pass * batch].reshape(-1, batch)
            for chosen in order:
                p, state, _ = step(p, state, x, labels, chosen)
                if first is None:
                    jax.block_until_ready(p)
                    first = now()
        jax.block_until_ready(p)
        found = without_first(start, (first, now(), steps), before)
        return found | {"test": self.accuracy(p, logits)}


def cores():
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def now():
    """Return the time in seconds; where one core is allowed, the processor time of this process.

    On one core both are the same when nothing else runs; and when something does, that is left out.
    """
    return time.process_time() if cores() == 1 else time.perf_counter()


def forever(batches):
    while True:
        yield from batches


def checked(logits, losses, count):
    logits = np.asarray(logits, float).round(6).tolist()
    return {"weights": int(count), "logits": logits, "losses": losses}


class Contestant:
    """Answers questions about one framework: each kind of training is started when first asked."""

    def __init__(self, framework):
        self.framework, self.running = framework, {}

    def steps(self, kind, count):
        """Return the milliseconds a step of `count` steps; the first call builds, uncounted."""
        if kind not in self.running:
            self.running[kind] = self.framework.start(kind)
            self.running[kind][0](3)
        start = now()
        self.running[kind][0](count)
        return 1000 * (now() - start) / count

    def epoch(self, kind, parts=10):
        """Return ten losses along one epoch of a fresh training, and its test accuracy."""
        run, accuracy = self.framework.start(kind)
        each = TRAINING // BATCH // parts
        losses = [run(1)] + [run(each) for _ in range(parts)]
        return {"losses": losses, "test": accuracy()}

    def forget(self):
        self.running.clear()

    def __getattr__(self, name):  # about, kinds, product, check, train
        return getattr(self.framework, name)


def serve(contestant):
    """Answer questions, each a line [name, *arguments]: {"answer": ...} or {"error": ...}."""
    out, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        try:
            found = getattr(contestant, name)
            reply = {"answer": found(*arguments) if callable(found) else found}
        except Exception as error:  # one kind that fails must not end the others
            reply = {"error": f"{type(error).__name__}: {error}".splitlines()[0][:300]}
        print(json.dumps(reply), file=out, flush=True)


def alone(contestant, parts, blocks=10, seeds=(0, 1, 2)):
    """Return what a framework measures without opponents, printing it on the way."""
    results = {"about": contestant.about() | {"cpu": platform.processor(), "cores": cores()}}
    print(results["about"], flush=True)
    kinds = list(contestant.kinds)
    if "check" in parts:
        results["check"] = contestant.check()
        print(*(f"{key} {results['check'][key]}" for key in ("weights", "losses")), flush=True)
    if "steps" in parts:
        count = 20 if results["about"]["device"] == "cpu" else 200
        times = {kind: [] for kind in kinds}
        for kind in kinds:
            try:
                contestant.steps(kind, count)
            except Exception as error:
                print(f"{kind}: {type(error).__name__}: {error}".splitlines()[0])
                del times[kind]
        sizes = PRODUCTS if count == 20 else {8192: 8}  # a GPU is not full of smaller ones
        products = {size: [] for size in sizes}
        for _ in range(blocks):
            for size in products:
                products[size].append(contestant.product(size, sizes[size]))
            for kind in times:
                times[kind].append(contestant.steps(kind, count))
        peak = max(2 * size**3 / statistics.median(row) / 1e9 for size, row in products.items())
        results["steps"] = {"peak": peak, "ms": times}
        print(f"a matrix product: {peak:,.0f} GFLOP/s")
        for kind, row in times.items():
            print(f"{kind:40} {statistics.median(row):8.3f} ms a step", flush=True)
        contestant.forget()
    if "epoch" in parts:
        results["epoch"] = {}
        for kind in kinds:
            try:
                results["epoch"][kind] = found = contestant.epoch(kind)
                print(f"{kind:40} {found['test']:.4f} after an epoch", flush=True)
            except Exception as error:
                print(f"{kind}: {type(error).__name__}: {error}".splitlines()[0])
    if "accuracy" in parts:
        results["accuracy"] = {}
        for mark in RECIPES:
            contestant.train(mark, 0) if results["about"]["device"] != "cpu" else None  # warms up
            rows = [contestant.train(mark, seed) for seed in seeds]
            results["accuracy"][mark] = rows
            print(f"{mark:8}", "  ".join(f"{r['seconds']:.2f} s ({r['whole']:.2f}), {r['test']:.4f}"
                                        for r in rows), flush=True)
    return results


def main():
    here = pathlib.Path(__file__).resolve().parents[2] / "data" / "mnist.npz"
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("framework", choices=("torch", "jax"))
    parser.add_argument("parts", nargs="*", default=["check", "steps", "accuracy"])
    parser.add_argument("--mnist", default=here if here.exists() else "data/mnist.npz")
    parser.add_argument("--json")
    given = parser.parse_args()
    contestant = Contestant({"torch": Torch, "jax": Jax}[given.framework](load(given.mnist)))
    if given.parts == ["serve"]:
        return serve(contestant)
    results = alone(contestant, given.parts)
    if given.json:
        pathlib.Path(given.json).write_text(json.dumps(results) + "\n")


if __name__ == "__main__":
    main()
