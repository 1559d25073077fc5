"""CS 20's network and chapter 14's recipes in PyTorch and in JAX, each as its own users write it.

    python others.py torch                 all of it, printed as JSON; on a GPU
    python others.py torch serve           answers tools/make/frameworks.py

This file needs NumPy, data/mnist.npz, and torch or jax with optax; nothing else of the book.
Weights start from the numbers of chapter 10's init_parameters; batches lie ready on the device, in
the order of the file. A block of steps is timed as a whole, and the clock stops when the device has
done its work.
"""

import itertools
import json
import math
import os
import pathlib
import platform
import statistics
import sys
import time

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


MNIST = pathlib.Path(__file__).resolve().parents[2] / "data" / "mnist.npz"


def load(path=MNIST):
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


def cores():
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def now():
    """Return the time in seconds; where one core is allowed, the processor time of this process.

    On one core both are the same when nothing else runs; and when something does, that is left out.
    """
    return time.process_time() if cores() == 1 else time.perf_counter()


def runner(step, batches):
    """Return run(n): n steps on the next batches, again and again; it returns the last loss."""
    feed = itertools.cycle(batches)

    def run(n):
        for _ in range(n):
            loss = step(*next(feed))
        return float(loss)  # waits for the device

    return run


def checked(logits, losses, count):
    logits = np.asarray(logits, float).round(6).tolist()
    return {"weights": int(count), "logits": logits, "losses": losses}


class Framework:
    """What is timed in the same way in each framework.

    Each brings `kinds` of training; start(kind): run(n), n steps more, which returns the loss;
    check(): the first batch's logits and three losses on it without dropout; ones(size): a square
    matrix; wait(array), for the device; place(images (N, 28, 28)): a network's input on it;
    indices(order): what chooses rows of that; learner(recipe, seed, steps): step(x, chosen) and
    accuracy().
    """

    takes_rest = True  # of a pass, the last batch, which is smaller

    def __init__(self, data):
        self.data, self.running = data, {}

    def steps(self, kind, count):
        """Return the milliseconds a step of `count` steps; the first call builds, uncounted."""
        if kind not in self.running:
            self.running[kind] = self.start(kind)
            self.running[kind](3)
        start = now()
        self.running[kind](count)
        return 1000 * (now() - start) / count

    def product(self, size, count):
        """Return the seconds of a product of two float32 matrices, the mean of `count`."""
        a = self.ones(size)
        self.wait(a @ a)
        start = now()
        for _ in range(count):
            b = a @ a
        self.wait(b)
        return (now() - start) / count

    def train(self, mark, seed):
        """Return the seconds and the test accuracy of one recipe of chapter 14.

        The first step, which builds, counts as the mean of the others; "whole" has all of it.
        """
        recipe, rng = RECIPES[mark], np.random.default_rng(seed)
        images, batch = self.data["train"][0][:recipe["images"]], recipe["batch"]
        a_pass = (math.ceil if self.takes_rest else math.floor)(len(images) / batch)
        steps, still, first, before = recipe["passes"] * a_pass, self.place(images), None, 0.0
        self.wait(still)
        start = now()
        step, accuracy = self.learner(recipe, seed, steps)
        for _ in range(recipe["passes"]):
            begin, x = now(), still
            if recipe["shift"]:
                x = self.place(shifted(images, recipe["shift"], rng))
            if first is None:
                before = now() - begin
            order = self.indices(rng.permutation(len(images)))
            for i in range(0, a_pass * batch, batch):
                result = step(x, order[i:i + batch])
                if first is None:
                    self.wait(result)
                    first = now()
        self.wait(result)
        last = now()
        return {"seconds": (last - first) * steps / (steps - 1) + before, "whole": last - start,
                "test": accuracy()}


class Torch(Framework):
    """PyTorch: default layout, channels last, compiled; Adam is its fused one."""

    kinds = ("NCHW", "channels_last", "channels_last, compiled",
             "channels_last, pooled before the ReLU")

    def __init__(self, data):
        import torch

        super().__init__(data)
        self.torch = torch
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        if self.device.type == "cpu":
            torch.set_num_threads(cores())
        self.on_device = {name: (torch.from_numpy(x)[:, None].to(self.device),
                                 torch.from_numpy(y).long().to(self.device))
                          for name, (x, y) in data.items()}

    def about(self):
        torch, cuda = self.torch, self.device.type == "cuda"
        return {"torch": torch.__version__, "threads": torch.get_num_threads(),
                "device": torch.cuda.get_device_name() if cuda else "cpu"}

    def wait(self, _):
        if self.device.type == "cuda":
            self.torch.cuda.synchronize()

    def ones(self, size):
        return self.torch.ones((size, size), device=self.device)

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
        model = self.lecture(kind)
        step = self.stepper(model, self.adam(model, RATE), kind=kind)
        return runner(step, self.batches(kind, TRAINING // BATCH))

    def accuracy(self, model):
        """Return the share of right answers on the test set."""
        x, y = self.place(self.data["test"][0]), self.data["test"][1]
        model.eval()
        with self.torch.no_grad():
            answers = self.torch.cat([model(part).argmax(1) for part in x.split(500)])
        return float(np.mean(answers.cpu().numpy() == y))

    def check(self):
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

    def place(self, images):
        return (self.torch.from_numpy(images)[:, None].to(self.device) - 0.1307) / 0.3081

    def indices(self, order):
        return self.torch.from_numpy(order).to(self.device)

    def learner(self, recipe, seed, steps):
        self.torch.manual_seed(seed)
        model, labels = self.network(recipe["network"]), self.on_device["train"][1]
        optimizer = self.adam(model, PEAK, BETAS)
        schedule = self.torch.optim.lr_scheduler.LambdaLR(optimizer, lambda i: triangle(i, steps))
        train = self.stepper(model, optimizer, SMOOTHING)

        def step(x, chosen):
            loss = train(x[chosen], labels[chosen])
            schedule.step()
            return loss

        return step, lambda: self.accuracy(model)


class Jax(Framework):
    """JAX: one jitted step, channels last; weights and memories are donated; optax's Adam."""

    kinds = ("jit", "jit, pooled by reshape", "jit, pooled before the ReLU")
    takes_rest = False  # it would be compiled anew

    def __init__(self, data):
        import jax
        import optax

        super().__init__(data)
        self.jax, self.jnp, self.optax = jax, jax.numpy, optax
        self.wait = jax.block_until_ready
        self.on_device = {name: (self.place(x), self.jnp.asarray(y))
                          for name, (x, y) in data.items()}

    def about(self):
        device = self.jax.devices()[0]
        name = device.device_kind if device.platform != "cpu" else "cpu"
        return {"jax": self.jax.__version__, "optax": self.optax.__version__,
                "threads": cores(), "device": name}

    def ones(self, size):
        return self.jnp.ones((size, size))

    def place(self, images):
        return self.jnp.asarray(images[..., np.newaxis])

    def indices(self, order):
        return order

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

    def stepper(self, p, logits, rate, betas=(0.9, 0.999), smoothing=0.0):
        """Return step(x, y, key), which trains and returns the loss, and {"p": the weights}.

        logits: a function of p, x and key. key: a number, or the places of the batch in x and y.
        rate: a number or a function of the count.
        """
        jax, optimizer = self.jax, self.optax.adam(rate, *betas, EPSILON)

        def cost(p, x, y, key):
            if np.ndim(key):
                x, y = x[key], y[key]
            soft = jax.nn.one_hot(y, 10) * (1 - smoothing) + smoothing / 10
            return -(soft * jax.nn.log_softmax(logits(p, x, key))).sum(axis=1).mean()

        def update(p, state, x, y, key):
            loss, gradients = jax.value_and_grad(cost)(p, x, y, key)
            updates, state = optimizer.update(gradients, state)
            return jax.tree.map(self.jnp.add, p, updates), state, loss

        held, update = {"p": p, "state": optimizer.init(p)}, jax.jit(update, donate_argnums=(0, 1))

        def step(x, y, key=0):
            held["p"], held["state"], loss = update(held["p"], held["state"], x, y, key)
            return loss

        return step, held

    def first_weights(self):
        return {name: self.jnp.asarray(value) for name, value in first_weights(0).items()}

    def start(self, kind):
        key, counts = self.jax.random.key(0), itertools.count()

        def logits(p, x, count):
            return self.lecture(p, x, self.jax.random.fold_in(key, count), kind)

        step, _ = self.stepper(self.first_weights(), logits, RATE)
        x, y = self.on_device["train"]
        batches = [self.wait((x[i:i + BATCH], y[i:i + BATCH]))
                   for i in range(0, TRAINING - BATCH + 1, BATCH)]
        return runner(lambda x, y: step(x, y, np.int32(next(counts))), batches)

    def accuracy(self, p, logits):
        """Return the share of right answers on the test set."""
        answer = self.jax.jit(lambda p, x: logits(p, x).argmax(1))
        x, y = self.on_device["test"]
        found = [answer(p, x[i:i + 500]) == y[i:i + 500] for i in range(0, len(y), 500)]
        return float(self.jnp.concatenate(found).mean())

    def check(self):
        p, (x, y) = self.first_weights(), (part[:BATCH] for part in self.on_device["train"])
        logits, count = self.lecture(p, x), sum(v.size for v in p.values())
        step, _ = self.stepper(p, lambda p, x, _: self.lecture(p, x), RATE)
        return checked(logits, [float(step(x, y)) for _ in range(3)], count)

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

    def learner(self, recipe, seed, steps):
        p, logits = self.network(recipe["network"], seed)

        def rate(count):
            t = (count + 1) / (steps + 1)
            return PEAK * self.jnp.minimum(t / 0.3, (1 - t) / 0.7)

        step, held = self.stepper(p, lambda p, x, _: logits(p, x), rate, BETAS, SMOOTHING)
        labels = self.on_device["train"][1]
        return (lambda x, chosen: step(x, labels, chosen),
                lambda: self.accuracy(held["p"], logits))


def serve(framework):
    """Answer questions, each a line [name, *arguments]: {"answer": ...} or {"error": ...}."""
    out, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        try:
            found = getattr(framework, name)
            reply = {"answer": found(*arguments) if callable(found) else found}
        except Exception as error:  # one kind that fails must not end the others
            reply = {"error": f"{type(error).__name__}: {error}".splitlines()[0][:300]}
        print(json.dumps(reply), file=out, flush=True)


def alone(framework, rounds=10):
    """Return what a GPU measures without opponents; a first call of each builds, uncounted."""
    kinds = framework.kinds
    for kind in kinds:
        framework.steps(kind, 200)
    rows = [(framework.product(8192, 8), {kind: framework.steps(kind, 200) for kind in kinds})
            for _ in range(rounds)]
    return {"about": framework.about() | {"cpu": platform.processor(), "cores": cores()},
            "losses": framework.check()["losses"],
            "steps": {"peak": 2 * 8192**3 / statistics.median(row[0] for row in rows) / 1e9,
                      "ms": {kind: [ms[kind] for _, ms in rows] for kind in kinds}},
            "accuracy": {mark: [framework.train(mark, seed) for seed in (0, 0, 1, 2)][1:]
                         for mark in RECIPES}}


def main():
    framework = {"torch": Torch, "jax": Jax}[sys.argv[1]](load())
    if sys.argv[2:] == ["serve"]:
        serve(framework)
    else:
        print(json.dumps(alone(framework)))


if __name__ == "__main__":
    main()
