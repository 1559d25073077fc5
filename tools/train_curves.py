"""Train the long curves that a notebook is too short for, and write them to data/curves.json.

    python tools/train_curves.py            every curve (about 40 minutes on two idle cores)
    python tools/train_curves.py sgd        only that one

sgd     the network of the archived TensorFlow layers tutorial, as it was trained: SGD 0.001, batch 100, 20,000 steps on the
        first 55,000 images, dropout rate 0.4, Keras' default initialisers; its published end is 0.9733.
adam    the same network by epochs, beside CS 20's tables: Adam 0.001, batch 128, dropout rate 0.25.

A notebook shows a curve as a short table; tests/test_keras_network.py holds the two together.
"""

import json
import os
import sys
import time
from pathlib import Path

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", KERAS_BACKEND="tensorflow")

import keras
import numpy as np
import tensorflow as tf

ROOT = Path(__file__).resolve().parents[1]
OUTPUT = ROOT / "data" / "curves.json"
CURVES = {
    "sgd": dict(rate=0.4, batch=100, marks=[1, 100, 500, 1000, 2000, 5000, 10_000, 15_000, 20_000],
                optimizer=lambda: keras.optimizers.SGD(0.001)),
    "adam": dict(rate=0.25, batch=128, marks=[429 * epoch for epoch in (1, 2, 3, 5)],
                 optimizer=lambda: keras.optimizers.Adam(0.001)),
}


def network(rate):
    """Return the tutorial's network: logits (N, 10) from images (N, 28, 28, 1) in 0..1."""
    return keras.Sequential([
        keras.Input((28, 28, 1)),
        keras.layers.Conv2D(32, 5, padding="same", activation="relu"),
        keras.layers.MaxPooling2D(2),
        keras.layers.Conv2D(64, 5, padding="same", activation="relu"),
        keras.layers.MaxPooling2D(2),
        keras.layers.Flatten(),
        keras.layers.Dense(1024, activation="relu"),
        keras.layers.Dropout(rate),
        keras.layers.Dense(10),
    ])


def train(name, rate, batch, marks, optimizer):
    """Yield {step, epochs, loss, accuracy} at each mark: test loss and accuracy on all 10,000 images."""
    with np.load(ROOT / "data" / "mnist.npz", allow_pickle=False) as file:
        x, y = file["x_train"][:55_000, :, :, None] / np.float32(255), file["y_train"][:55_000]
        x_test, y_test = file["x_test"][:, :, :, None] / np.float32(255), file["y_test"]
    keras.utils.set_random_seed(0)
    model, optimizer = network(rate), optimizer()
    cost = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer.build(model.trainable_variables)

    @tf.function
    def step(images, labels):
        with tf.GradientTape() as tape:
            loss = cost(labels, model(images, training=True))
        optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)

    rng, count = np.random.default_rng(0), 0
    while count < marks[-1]:
        order = rng.permutation(len(x))
        for start in range(0, len(x) - batch + 1, batch):
            rows = order[start:start + batch]
            step(x[rows], y[rows])
            count += 1
            if count in marks:
                logits = model.predict(x_test, batch_size=500, verbose=0)
                yield {"step": count, "epochs": round(count * batch / len(x), 2),
                       "loss": round(float(cost(y_test, logits)), 4),
                       "accuracy": round(float(np.mean(logits.argmax(axis=1) == y_test)), 4)}
            if count >= marks[-1]:
                break


def main():
    names = sys.argv[1:] or list(CURVES)
    if set(names) - CURVES.keys():
        sys.exit(f"no such curve: {sorted(set(names) - CURVES.keys())}; there are {list(CURVES)}")
    for name in names:
        start, points = time.perf_counter(), []
        for point in train(name, **CURVES[name]):
            points.append(point)
            print(name, point, f"{time.perf_counter() - start:.0f} s", flush=True)
        written = json.loads(OUTPUT.read_text()) if OUTPUT.exists() else {}
        written[name] = {"tensorflow": tf.__version__, "keras": keras.__version__, "seed": 0, "points": points}
        OUTPUT.write_text(json.dumps(written, indent=1) + "\n")


if __name__ == "__main__":
    main()
