"""CS 20's network in TensorFlow and Keras, and chapter 14's recipes, for tools/make/frameworks.py.

    python -m tools.make.ours              answers questions, a line of JSON each

The networks and the training step are those of chapters 10, 13 and 14, taken out of the notebooks.
"the loop" is chapter 10's step, with CS 20's dropout; "the loop, tuned" does the same arithmetic
in an order and with operations that leave out what the profiler found to be waste.
"""

import collections
import glob
import itertools
import re
import sys
import tempfile
import types

import keras
import numpy as np
import tensorflow as tf

from tools.book.definitions import definitions
from tools.make import others
from tools.make.others import BATCH, EPSILON, RATE, TRAINING, Framework, first_weights, now, runner

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


def with_dropout(chapter):
    """Return chapter 10's make_train_step, whose network drops numbers as CS 20's does."""
    def forward(p, x):
        pool2 = chapter["feature_maps"](p, x)["pool2"]
        flat = tf.reshape(pool2, [tf.shape(pool2)[0], -1])
        fc1 = tf.nn.relu(flat @ p["wd1"] + p["bd1"])
        return tf.nn.dropout(fc1, 0.25) @ p["out_w"] + p["out_b"]

    make = chapter["make_train_step"]  # the same code, with this `forward`
    return types.FunctionType(make.__code__, chapter | {"forward": forward},
                              closure=make.__closure__)


class TensorFlow(Framework):
    """TensorFlow: chapter 10's loop, as it is, tuned, and through XLA; Keras' fit."""

    changes = list(CHANGES)
    kinds = ("the loop", "the loop, tuned", "Keras fit", "Keras fit, jit_compile",
             "the loop, jit_compile")

    def __init__(self, data):
        super().__init__(data)
        (self.x, self.y), (self.x_test, self.y_test) = (
            (x[..., np.newaxis], y) for x, y in data.values())
        self.chapter_14 = definitions("14")
        self.chapter_14["time"] = types.SimpleNamespace(process_time=now)  # of the wall

    def about(self):
        gpus = tf.config.list_physical_devices("GPU")
        return {"tensorflow": tf.__version__, "keras": keras.__version__, "threads": others.cores(),
                "device": tf.config.experimental.get_device_details(gpus[0])["device_name"]
                if gpus else "cpu"}

    def ones(self, size):
        return tf.ones((size, size))

    def wait(self, array):
        array[0, 0].numpy()

    def steps(self, kind, count):
        """As in Framework; of `fit`, from the end of its first batch to the end of its last."""
        if "fit" not in kind:
            return super().steps(kind, count)
        super().steps(kind, count + 1)
        marks = self.running[kind].marks
        return 1000 * (marks[-1] - marks[0]) / count

    def start(self, kind):
        return self.start_fit(kind) if "fit" in kind else self.start_loop(kind)

    def start_loop(self, kind):
        chapter = definitions("10")
        p = chapter["init_parameters"](0)
        changes = TUNED if kind == "the loop, tuned" else CHANGES.get(kind)
        if changes is None:
            train = with_dropout(chapter)(p)
        else:
            train = make_tuned_step(p, chapter["adam_update"], **changes)
        if "jit" in kind:
            train = tf.function(train, jit_compile=True)
        counts = itertools.count(1)

        def step(x, y):
            return train(x, y, tf.constant(next(counts), tf.float32), tf.constant(RATE))[0]

        return runner(step, [(tf.constant(self.x[i:i + BATCH]), tf.constant(self.y[i:i + BATCH]))
                             for i in range(0, TRAINING - BATCH + 1, BATCH)])

    def start_fit(self, kind):
        chapter = definitions("13")
        model = chapter["lecture_network"](*chapter["STARTS"]["Glorot"])
        model.set_weights(list(first_weights(0).values()))
        model.compile(keras.optimizers.Adam(RATE), chapter["COST"], jit_compile="jit" in kind)
        marks, at = [], 0
        note = keras.callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs: marks.append(now()))

        def run(n):
            nonlocal at
            at = at if at + n * BATCH <= TRAINING else 0
            part = slice(at, at + n * BATCH)
            at += n * BATCH
            marks.clear()
            history = model.fit(self.x[part], self.y[part], BATCH, shuffle=False, verbose=0,
                                callbacks=[note])
            return history.history["loss"][-1]

        run.marks = marks
        return run

    def check(self):
        chapter, (x, y) = definitions("10"), (tf.constant(a[:BATCH]) for a in (self.x, self.y))
        p, first = chapter["init_parameters"](0), first_weights(0)
        for own, value in zip(p.values(), first.values(), strict=True):
            np.testing.assert_array_equal(own, value)
        logits = chapter["forward"](p, x).numpy()
        step = make_tuned_step(p, None, adam=True, dropout=0.0)
        losses = [float(step(x, y, tf.constant(count), RATE)[0]) for count in (1.0, 2.0, 3.0)]
        return others.checked(logits, losses, sum(value.size for value in first.values()))

    def train(self, mark, seed, way="fit"):
        """Return the seconds and the test accuracy of one recipe of chapter 14."""
        recipe, start = self.chapter_14["RECIPES"][NAMES[mark]], now()
        if way == "loop":
            model, seconds = self.train_loop(recipe, seed)
        else:
            model, seconds = self.chapter_14["fitted"](self.x, self.y, seed, **recipe)
        whole = now() - start
        answers = model.predict(self.x_test, batch_size=500, verbose=0).argmax(axis=1)
        return {"seconds": seconds, "whole": whole, "test": float(np.mean(answers == self.y_test))}

    def train_loop(self, recipe, seed):
        """Return (model, seconds): the recipe with each pass one call of a tf.function."""
        keras.utils.set_random_seed(seed)
        model, rng = recipe["network"](), np.random.default_rng(seed)
        x, batch = self.x[:recipe.get("images")], recipe.get("batch", 128)
        labels = np.eye(10, dtype=np.float32)[self.y[:len(x)]]
        soft = tf.constant(labels * (1 - others.SMOOTHING) + others.SMOOTHING / 10)
        a_pass = -(-len(x) // batch)
        rate = self.chapter_14["Triangle"](others.PEAK, recipe.get("passes", 1) * a_pass)
        values = [v.value for v in model.trainable_variables]
        memory, total = memories(values), tf.Variable(0.0)

        @tf.function(input_signature=[tf.TensorSpec(x.shape), tf.TensorSpec([len(x)], tf.int64)])
        def run(images, order):
            for i in tf.range(a_pass):
                chosen = order[i * batch:tf.minimum((i + 1) * batch, len(x))]
                with tf.GradientTape() as tape:
                    loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(
                        tf.gather(soft, chosen), model(tf.gather(images, chosen), training=True)))
                for v, m, g in zip(values, memory, tape.gradient(loss, values), strict=True):
                    apply_adam(v, m, g, total + 1, rate(total), others.BETAS)
                total.assign_add(1)

        run.get_concrete_function()
        start = now()
        for _ in range(recipe.get("passes", 1)):
            moved = self.chapter_14["shifted"](x, 1, rng) if recipe.get("shift") else x
            run(tf.constant(moved), tf.constant(rng.permutation(len(x))))
        return model, now() - start

    def example(self):
        """Return the seconds of an epoch of keras.io's example, from a part of it."""
        count = 100 * BATCH
        network = self.chapter_14["example_network"]
        _, seconds = self.chapter_14["fitted"](self.x, self.y, 0, network, images=count)
        return seconds * TRAINING / count

    def profile(self, kind, count=20):
        """Return ({group: ms a step}, {operation: ms a step}) of a loop, as the profiler saw it."""
        from tensorflow.tsl.profiler.protobuf import xplane_pb2

        run = self.start(kind)
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


def main():
    for word in sys.argv[1:]:  # inter=1: one operation at a time; intra=1: one thread for each
        name, count = word.split("=")
        getattr(tf.config.threading, f"set_{name}_op_parallelism_threads")(int(count))
    others.serve(TensorFlow(others.load()))


if __name__ == "__main__":
    main()
