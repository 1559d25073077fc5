"""CS 20's network in TensorFlow and Keras, and chapter 14's recipes, for tools/make/frameworks.py.

    python -m tools.make.ours              answers questions, a line of JSON each

The networks and the training step are those of chapters 10, 13 and 14, taken out of the notebooks.
"the loop" is chapter 10's step, with CS 20's dropout; "the loop, tuned" does the same arithmetic
in an order and with operations that leave out what the profiler found to be waste.
"""

import collections
import glob
import os
import re
import sys
import tempfile
import types

os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow"}

import keras
import numpy as np
import tensorflow as tf

from tools.book.definitions import definitions
from tools.book.files import MNIST
from tools.make.others import (
    BATCH,
    BETAS,
    EPSILON,
    PEAK,
    RATE,
    SMOOTHING,
    TRAINING,
    Contestant,
    checked,
    cores,
    first_weights,
    forever,
    load,
    now,
    serve,
    shifted,
)

NAMES = {"98.18 %": "22,000 images", "99 %": "two passes", "99.5 %": "moved, 3 passes"}
GROUPS = [  # what the profiler calls an operation begins so, or has that in it
    ("convolutions, forward", r"^Conv2D|:_MklNative(Fused)?Conv2D$"),
    ("convolutions, back to their input", "Conv2DBackpropInput"),
    ("convolutions, back to their filters", "Conv2DBackpropFilter"),
    ("dense layers", "MatMul"), ("pooling", "MaxPool"), ("dropout", "dropout"),
    ("biases and ReLU, back", "BiasAddGrad|ReluGrad|gradient_tape/add|/Sum:"),
]


CHANGES = {  # each line of the first four keeps the changes above it; the others begin at TUNED
    "as chapter 10 has it": {},
    "Adam in one operation": dict(adam=True),
    "biases added by bias_add": dict(adam=True, bias_add=True),
    "pooled before the ReLU": dict(adam=True, bias_add=True, pool_first=True),
}
TUNED = CHANGES["pooled before the ReLU"]
CHANGES |= {
    "tuned, without dropout": TUNED | dict(dropout=0.0),
    "tuned, plain descent instead of Adam": TUNED | dict(adam=None),
    "tuned, products in bfloat16": TUNED | dict(dtype="bfloat16"),
}


def tuned_forward(p, x, bias_add=False, pool_first=False, dropout=0.25, dtype="float32"):
    """Return the logits of CS 20's network, for training; see CHANGES."""
    add = tf.nn.bias_add if bias_add else tf.add
    p, x = {name: tf.cast(v, dtype) for name, v in p.items()}, tf.cast(x, dtype)

    def pool(x):
        return tf.nn.max_pool2d(x, 2, 2, "VALID")

    for i in "12":
        x = tf.nn.conv2d(x, p["wc" + i], 1, "SAME")
        if pool_first:  # a quarter of the numbers for the bias, the ReLU, and their way back
            x = tf.nn.relu(add(pool(x), p["bc" + i]))
        else:
            x = pool(tf.nn.relu(add(x, p["bc" + i])))
    x = tf.reshape(x, [-1, p["wd1"].shape[0]])
    x = tf.nn.relu(add(x @ p["wd1"], p["bd1"]))
    x = tf.nn.dropout(x, dropout) if dropout else x
    return tf.cast(add(x @ p["out_w"], p["out_b"]), "float32")


def apply_adam(p, memory, gradient, count, rate, betas=(0.9, 0.999)):
    """Move the variable p by one step of Adam, in one operation that runs once over its numbers.

    TensorFlow's Adam adds epsilon before the correction of the squares, Kingma and Ba, PyTorch and
    optax after it: so the epsilon given to it is scaled, and all do the same.
    """
    powers = [tf.pow(tf.cast(beta, tf.float32), count) for beta in betas]
    tf.raw_ops.ResourceApplyAdam(
        var=p.handle, m=memory[0].handle, v=memory[1].handle, beta1_power=powers[0],
        beta2_power=powers[1], lr=rate, beta1=betas[0], beta2=betas[1],
        epsilon=EPSILON * tf.sqrt(1 - powers[1]), grad=gradient)


def memories(variables):
    return [[tf.Variable(tf.zeros_like(v)) for _ in range(2)] for v in variables]


def make_tuned_step(p, update, adam=False, **changes):
    """Return step(x, y, count, rate) like chapter 10's make_train_step, with some of CHANGES.

    update: chapter 10's adam_update, where adam is False; where it is None, plain descent.
    """
    memory = dict(zip(p, memories(p.values()), strict=True))

    @tf.function
    def step(x, y, count, rate):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(
                y, tuned_forward(p, x, **changes)))
        for name, gradient in tape.gradient(loss, p).items():
            if adam:
                apply_adam(p[name], memory[name], gradient, count, rate)
            elif adam is None:
                p[name].assign_sub(rate * gradient)
            else:
                update(p[name], gradient, *memory[name], count, rate)
        return loss, loss

    return step


class TensorFlow:
    """TensorFlow: chapter 10's loop, as it is, tuned, and through XLA; Keras' fit."""

    changes = list(CHANGES)
    kinds = ("the loop", "the loop, tuned", "Keras fit", "Keras fit, jit_compile",
             "the loop, jit_compile")

    def __init__(self, data):
        tf.get_logger().setLevel("ERROR")  # AutoGraph finds no source of a notebook's code
        self.data = data
        self.x, self.y = data["train"][0][..., np.newaxis], data["train"][1]

    def about(self):
        gpus = tf.config.list_physical_devices("GPU")
        return {"tensorflow": tf.__version__, "keras": keras.__version__, "threads": cores(),
                "device": tf.config.experimental.get_device_details(gpus[0])["device_name"]
                if gpus else "cpu"}

    def product(self, size, count):
        """Return the seconds of a product of two float32 matrices, the mean of `count`."""
        a = tf.ones((size, size))
        (a @ a).numpy()
        start = now()
        for _ in range(count):
            b = a @ a
        b[0, 0].numpy()
        return (now() - start) / count

    def chapter(self, dropout=0.25):
        """Return chapter 10's definitions; their `forward` drops numbers, as CS 20's does."""
        chapter = dict(definitions("10"))

        def forward(p, x):
            pool2 = chapter["feature_maps"](p, x)["pool2"]
            flat = tf.reshape(pool2, [tf.shape(pool2)[0], -1])
            fc1 = tf.nn.relu(flat @ p["wd1"] + p["bd1"])
            return tf.nn.dropout(fc1, dropout) @ p["out_w"] + p["out_b"]

        make = chapter["make_train_step"]
        chapter["make_train_step"] = types.FunctionType(  # the same code, with this `forward`
            make.__code__, chapter | {"forward": forward}, closure=make.__closure__)
        return chapter

    def start(self, kind):
        """Return a training of one kind that goes on where it was: run(n) returns the loss."""
        return self.start_fit(kind) if "fit" in kind else self.start_loop(kind)

    def start_loop(self, kind):
        chapter = self.chapter()
        p = chapter["init_parameters"](0)
        changes = TUNED if kind == "the loop, tuned" else CHANGES.get(kind)
        if changes is None:
            step = chapter["make_train_step"](p)
        else:
            step = make_tuned_step(p, chapter["adam_update"], **changes)
        if "jit" in kind:
            step = tf.function(step, jit_compile=True)
        feed = forever([(tf.constant(self.x[i:i + BATCH]), tf.constant(self.y[i:i + BATCH]))
                        for i in range(0, TRAINING - BATCH + 1, BATCH)])
        counts = iter(range(1, 10**9))

        def run(n):
            for _ in range(n):
                count = tf.constant(next(counts), tf.float32)
                loss, _ = step(*next(feed), count, tf.constant(RATE))
            return float(loss)

        def accuracy():
            x, y = self.data["test"]
            found = [chapter["forward"](p, x[i:i + 500, ..., np.newaxis]).numpy().argmax(1)
                     for i in range(0, len(y), 500)]
            return float(np.mean(np.concatenate(found) == y))

        return run, accuracy

    def start_fit(self, kind):
        chapter = definitions("13")
        model = chapter["lecture_network"](*chapter["STARTS"]["Glorot"])
        model.set_weights(list(first_weights(0).values()))
        cost = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(RATE), cost, jit_compile="jit" in kind)
        marks, at = [], [0]
        note = keras.callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs: marks.append(now()))

        def run(n):
            if at[0] + n * BATCH > TRAINING:
                at[0] = 0
            part = slice(at[0], at[0] + n * BATCH)
            at[0] += n * BATCH
            marks.clear()
            history = model.fit(self.x[part], self.y[part], BATCH, shuffle=False, verbose=0,
                                callbacks=[note])
            return history.history["loss"][-1]

        def accuracy():
            x, y = self.data["test"]
            found = model.predict(x[..., np.newaxis], batch_size=500, verbose=0).argmax(1)
            return float(np.mean(found == y))

        run.marks = marks
        return run, accuracy

    def check(self):
        """Return the logits of the first batch, and three losses on it without dropout."""
        chapter = self.chapter(dropout=0.0)
        p = chapter["init_parameters"](0)
        for own, value in zip(p.values(), first_weights(0).values(), strict=True):
            np.testing.assert_array_equal(own, value)
        x, y = tf.constant(self.x[:BATCH]), tf.constant(self.y[:BATCH])
        logits, count = chapter["forward"](p, x).numpy(), sum(v.numpy().size for v in p.values())
        memory, losses = memories(p.values()), []
        for step in range(1, 4):
            with tf.GradientTape() as tape:
                loss, _ = chapter["loss_and_accuracy"](chapter["forward"](p, x), y)
            losses.append(float(loss))
            gradients = tape.gradient(loss, list(p.values()))
            for v, m, g in zip(p.values(), memory, gradients, strict=True):
                apply_adam(v, m, g, tf.constant(step, tf.float32), RATE)
        return checked(logits, losses, count)

    def train(self, mark, seed, way="fit"):
        """Return the seconds and the test accuracy of one recipe of chapter 14."""
        chapter = definitions("14")
        clock = chapter["time"]
        recipe = chapter["RECIPES"][NAMES[mark]]
        start = now()
        if way == "loop":
            model, seconds = self.train_loop(recipe, seed)
        else:
            chapter["time"] = types.SimpleNamespace(process_time=now)  # of the wall
            model, seconds = chapter["fitted"](self.x, self.y, seed, **recipe)
            chapter["time"] = clock
        whole = now() - start
        x, y = self.data["test"]
        logits = model.predict(x[..., np.newaxis], batch_size=500, verbose=0)
        return {"seconds": seconds, "whole": whole, "test": float(np.mean(logits.argmax(1) == y))}

    def train_loop(self, recipe, seed):
        """Return (model, seconds): the recipe with each pass one call of a tf.function."""
        keras.utils.set_random_seed(seed)
        model, rng = recipe["network"](), np.random.default_rng(seed)
        x, batch = self.x[:recipe.get("images")], recipe.get("batch", 128)
        labels = np.eye(10, dtype=np.float32)[self.y[:len(x)]]
        soft = tf.constant(labels * (1 - SMOOTHING) + SMOOTHING / 10)
        a_pass = -(-len(x) // batch)
        steps = recipe["passes"] * a_pass if "passes" in recipe else a_pass
        rate, variables = chapter_rate(steps), model.trainable_variables
        values = [v.value for v in variables]
        memory, total = memories(values), tf.Variable(0.0)

        @tf.function(input_signature=[tf.TensorSpec(x.shape), tf.TensorSpec([len(x)], tf.int64)])
        def run(images, order):
            for i in tf.range(a_pass):
                chosen = order[i * batch:tf.minimum((i + 1) * batch, len(x))]
                with tf.GradientTape() as tape:
                    loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(
                        tf.gather(soft, chosen), model(tf.gather(images, chosen), training=True)))
                for v, m, g in zip(values, memory, tape.gradient(loss, values), strict=True):
                    apply_adam(v, m, g, total + 1, rate(total), BETAS)
                total.assign_add(1)

        run.get_concrete_function()
        start = now()
        for _ in range(recipe.get("passes", 1)):
            moved = shifted(x[..., 0], 1, rng)[..., np.newaxis] if recipe.get("shift") else x
            run(tf.constant(moved), tf.constant(rng.permutation(len(x))))
        return model, now() - start

    def example(self):
        """Return the seconds of an epoch of keras.io's example, from a part of it."""
        chapter = definitions("14")
        clock = chapter["time"]
        chapter["time"] = types.SimpleNamespace(process_time=now)
        count = 100 * BATCH
        _, seconds = chapter["fitted"](self.x, self.y, 0, chapter["example_network"], images=count)
        chapter["time"] = clock
        return seconds * TRAINING / count

    def profile(self, kind, count=20):
        """Return ({group: ms a step}, {operation: ms a step}) of a loop, as the profiler saw it."""
        from tensorflow.tsl.profiler.protobuf import xplane_pb2

        run, _ = self.start(kind)
        run(5)
        with tempfile.TemporaryDirectory() as folder:
            tf.profiler.experimental.start(folder)
            run(count)
            tf.profiler.experimental.stop()
            [path] = glob.glob(folder + "/**/*.xplane.pb", recursive=True)
            with open(path, "rb") as file:
                space = xplane_pb2.XSpace.FromString(file.read())
        times = collections.Counter()
        for plane in space.planes:
            for line in plane.lines:
                if line.name.startswith("tf_Compute"):
                    for event in line.events:
                        name = plane.event_metadata[event.metadata_id].name
                        if ":" in name and "::" not in name:
                            times[name] += event.duration_ps / 1e9 / count
        return grouped(times), dict(times.most_common(40))


def chapter_rate(steps):
    triangle = definitions("14")["Triangle"](PEAK, steps)
    return triangle


def grouped(times):
    """Return {group: milliseconds} of {operation: milliseconds}."""
    groups = collections.Counter()
    for name, ms in times.items():
        group = next((group for group, pattern in GROUPS if re.search(pattern, name)), None)
        if group is None:
            adam = re.match(r"(ResourceApplyAdam|sub|mul|pow|truediv|Sqrt|add|Assign)", name, re.I)
            group = "Adam" if adam and "softmax" not in name.lower() else "the rest"
        groups[group] += ms
    return dict(groups)


class Ours(Contestant):
    def steps(self, kind, count):
        """As in Contestant; of `fit`, from the end of its first batch to the end of its last."""
        if "fit" not in kind:
            return super().steps(kind, count)
        if kind not in self.running:
            self.running[kind] = self.framework.start(kind)
            self.running[kind][0](3)
        run, _ = self.running[kind]
        run(count + 1)
        return 1000 * (run.marks[-1] - run.marks[0]) / count


def main():
    for word in sys.argv[1:]:  # inter=1: one operation at a time; intra=1: one thread for each
        name, count = word.split("=")
        getattr(tf.config.threading, f"set_{name}_op_parallelism_threads")(int(count))
    serve(Ours(TensorFlow(load(MNIST))))


if __name__ == "__main__":
    main()
