"""Time the networks of the book in one run: a step of 128 images, and the training to 98.18 %.

    python -m tools.make.bench            about ten minutes on two idle cores

98.18 % on the test set is what CS 20's slides (2018) give for their 25th epoch. The networks come
out of the notebooks. Times are those of this machine, in this run: compare the rows with each
other. Testing, every 50 steps, is not counted; the data are in memory.
"""

import statistics
import time

import keras
import numpy as np
import tensorflow as tf

from tools.book.definitions import definitions
from tools.make.data import TRAINING, as_input, load_mnist, make_train_step

GOAL, BATCH, MOST = 0.9818, 128, 860  # two epochs


def keras_step(model, rate=0.001):
    """Return (step, predict) of a Keras model under Adam: step(number, images, labels)."""
    train = make_train_step(model, keras.optimizers.Adam(rate))
    return (lambda number, images, labels: train(images, labels),
            tf.function(lambda images: model(images, training=False)))


def raw_step():
    """Return (step, predict) of chapter 10: its own Adam, its schedule, then the last rate."""
    names = definitions("10")
    parameters = names["init_parameters"](0)
    train, rate = names["make_train_step"](parameters), names["scheduled_rate"]

    def step(number, images, labels):
        train(images, labels, tf.constant(float(number)), tf.constant(rate(min(number, 200))))

    return step, tf.function(lambda images: names["forward"](parameters, images))


def networks():
    """Yield (name, function that makes (step, predict))."""
    tutorial = definitions("11")["sequential_network"]
    tflearn, batch_norm = definitions("12")["tflearn_network"], definitions("12")["batch_norm"]
    small = (keras.initializers.HeNormal, keras.initializers.Zeros, (8, 16), 64)
    lecture = definitions("13")["lecture_network"]
    yield "10 raw TensorFlow, rate with a schedule", raw_step
    yield "11 Keras, Adam 0.001", lambda: keras_step(tutorial())
    yield "12 tflearn's, with LRN, Adam 0.001", lambda: keras_step(tflearn())
    yield "12 the same with batch norm", lambda: keras_step(tflearn(batch_norm))
    yield "13 small copy, 8 and 16 filters", lambda: keras_step(lecture(*small), 0.003)


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
            logits = [predict(tf.constant(part)).numpy() for part in np.split(x_test, 20)]
            best = max(best, float(np.mean(np.concatenate(logits).argmax(axis=1) == y_test)))
            print(".", end="", flush=True)
            if best >= GOAL:
                return statistics.median(times) * 1e3, sum(times), number, best
    return statistics.median(times) * 1e3, None, MOST, best


def main():
    (x, y), (x_test, y_test) = load_mnist()
    data = as_input(x[:TRAINING]), y[:TRAINING].astype(np.int32), as_input(x_test), y_test
    rows = []
    for name, make in networks():
        print(name, end=" ", flush=True)
        rows.append((name, *measure(make, *data)))
        print(flush=True)
    print(f"\n{'network':<42}{'ms a step':>10}{'s to 98.18 %':>14}{'steps':>7}{'accuracy':>10}")
    for name, ms, seconds, steps, best in rows:
        reached = f"{seconds:.1f}" if seconds else "not yet"
        print(f"{name:<42}{ms:>10.0f}{reached:>14}{steps:>7}{best:>10.4f}")


if __name__ == "__main__":
    main()
