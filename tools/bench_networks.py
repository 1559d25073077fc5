"""Time the networks of the book in one run: a step of 128 images, and the training time to 98.18 % on the test set.

    python tools/bench_networks.py            about ten minutes on two idle cores

98.18 % is what CS 20's slides (2018) give for their 25th epoch. The networks come out of the notebooks. Times are those of
this machine, in this run: compare the rows with each other. Testing, every 50 steps, is not counted; the data are in memory.
"""

import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tools")]

from conftest import definitions  # noqa: E402  (it takes functions out of notebooks; sets TensorFlow quiet)

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

tf.get_logger().setLevel("ERROR")  # AutoGraph finds no source file of a function that came out of a notebook

GOAL, BATCH, MOST = 0.9818, 128, 860  # two epochs of 55,000 images


def keras_step(model, optimizer):
    """Return (step, predict) for a Keras model that gives logits: step(number, images, labels), predict(images)."""
    cost = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer.build(model.trainable_variables)

    @tf.function
    def train(images, labels):
        with tf.GradientTape() as tape:
            loss = cost(labels, model(images, training=True)) + sum(model.losses)
        optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)

    def step(number, images, labels):
        train(images, labels)

    return step, tf.function(lambda images: model(images, training=False))


def raw_step():
    """Return (step, predict) of chapter 10: eight arrays, its own Adam, its schedule of 200 steps, then the last rate."""
    names = definitions("10")
    parameters = names["init_parameters"](0)
    train, rate = names["make_train_step"](parameters), names["scheduled_rate"]

    def step(number, images, labels):
        train(images, labels, tf.constant(float(number)), tf.constant(rate(min(number, 200))))

    return step, tf.function(lambda images: names["forward"](parameters, images))


def networks():
    """Yield (name, function that makes (step, predict))."""
    adam = keras.optimizers.Adam
    twelve, thirteen = definitions("12"), definitions("13")
    small = (keras.initializers.HeNormal, keras.initializers.Zeros)
    yield "10 raw TensorFlow, rate with a schedule", raw_step
    yield "11 Keras, Adam 0.001", lambda: keras_step(definitions("11")["sequential_network"](), adam(0.001))
    yield "12 tflearn's, with LRN, Adam 0.001", lambda: keras_step(twelve["tflearn_network"](), adam(0.001))
    yield "12 the same with batch norm", lambda: keras_step(twelve["tflearn_network"](twelve["batch_norm"]), adam(0.001))
    yield "13 small copy, 8 and 16 filters", lambda: keras_step(thirteen["lecture_network"](*small, (8, 16), 64), adam(0.003))


def measure(make, x, y, x_test, y_test):
    """Return (ms a step, seconds to GOAL or None, steps, best accuracy)."""
    keras.utils.set_random_seed(0)
    step, predict = make()
    rng, times, best = np.random.default_rng(0), [], 0.0
    order = rng.permutation(len(x))
    step(1, tf.constant(x[:BATCH]), tf.constant(y[:BATCH]))  # traces the graph; not counted
    for number in range(1, MOST + 1):
        rows = order[np.arange((number - 1) * BATCH, number * BATCH) % len(x)]
        images, labels = tf.constant(x[rows]), tf.constant(y[rows])
        start = time.perf_counter()
        step(number, images, labels)
        times.append(time.perf_counter() - start)
        if number % 50 == 0:
            found = np.concatenate([predict(tf.constant(x_test[i:i + 500])).numpy().argmax(1) for i in range(0, len(x_test), 500)])
            best = max(best, float(np.mean(found == y_test)))
            print(".", end="", flush=True)
            if best >= GOAL:
                return statistics.median(times) * 1e3, sum(times), number, best
    return statistics.median(times) * 1e3, None, MOST, best


def main():
    with np.load(ROOT / "data" / "mnist.npz", allow_pickle=False) as file:
        x, y = file["x_train"][:55_000, :, :, None] / np.float32(255), file["y_train"][:55_000].astype(np.int32)
        x_test, y_test = file["x_test"][:, :, :, None] / np.float32(255), file["y_test"]
    rows = []
    for name, make in networks():
        print(name, end=" ", flush=True)
        rows.append((name, *measure(make, x, y, x_test, y_test)))
        print(flush=True)
    print(f"\n{'network':<42}{'ms a step':>10}{'s to 98.18 %':>14}{'steps':>7}{'accuracy':>10}")
    for name, ms, seconds, steps, best in rows:
        reached = f"{seconds:.1f}" if seconds else "not yet"
        print(f"{name:<42}{ms:>10.0f}{reached:>14}{steps:>7}{best:>10.4f}")


if __name__ == "__main__":
    main()
