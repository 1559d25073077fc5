"""What the scripts of this folder share: MNIST, and one training step of a Keras model."""

import numpy as np

from tools.book.files import MNIST

TRAINING = 55_000  # images; the 5,000 after them are for validation, as in the sources of the book


def load_mnist(path=MNIST):
    """Return (x_train, y_train), (x_test, y_test): bytes (N, 28, 28) and labels (N,)."""
    with np.load(path, allow_pickle=False) as file:
        return (file["x_train"], file["y_train"]), (file["x_test"], file["y_test"])


def as_input(x):
    """Return bytes (N, 28, 28) as a network takes them: float32 (N, 28, 28, 1) in 0..1."""
    return x[..., None] / np.float32(255)


def make_train_step(model, optimizer):
    """Return step(images, labels): trains a Keras model that gives logits; returns the loss."""
    import keras  # takes seconds, and who wants only the images has no need of it
    import tensorflow as tf

    tf.get_logger().setLevel("ERROR")  # AutoGraph finds no source of what came out of a notebook
    cost = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer.build(model.trainable_variables)

    @tf.function
    def step(images, labels):
        with tf.GradientTape() as tape:
            loss = cost(labels, model(images, training=True)) + sum(model.losses)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply(gradients, model.trainable_variables)
        return loss

    return step
