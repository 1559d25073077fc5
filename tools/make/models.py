"""What the scripts of this folder share: small Keras models, their training and their files."""

import keras
import numpy as np
import tensorflow as tf
from safetensors import safe_open
from safetensors.numpy import save_file

from tools.make.data import TRAINING, digits, share_right


def convolutional(filters, *tail, **settings):
    """Return convolutions of 5 x 5, each pooled, and the layers of `tail`: images to logits."""
    layers = []
    for n, number in enumerate(filters, 1):
        layers += [keras.layers.Conv2D(number, 5, activation="relu", name=f"conv{n}", **settings),
                   keras.layers.MaxPooling2D(2, name=f"pool{n}")]
    return keras.Sequential([keras.Input((28, 28, 1)), *layers, *tail])


def logits_of(model, x):
    """Return what a model makes of images (N, 28, 28, 1)."""
    return model.predict(x, batch_size=500, verbose=0)


def held_back(model):
    """Return the share of the 5,000 validation images that a model gets right."""
    x, y = digits()
    return share_right(logits_of(model, x[TRAINING:]), y[TRAINING:])


def make_train_step(model, optimizer):
    """Return step(images, labels): trains a model that gives logits; returns the loss."""
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


def named(models):
    """Return {"layer/variable" behind the prefix of its model: variable} of {prefix: model}."""
    return {f"{prefix}{layer.name}/{variable.name}": variable for prefix, model in models.items()
            for layer in model.layers for variable in layer.weights}


def write_models(path, models, images, positions, **more):
    """Write {prefix: model} as float16, ten images as bytes, and where these stand in the test."""
    arrays = {name: variable.numpy().astype(np.float16) for name, variable in named(models).items()}
    save_file({**arrays, **more, "samples": np.ascontiguousarray(images)}, path,
              {"positions": " ".join(map(str, positions))})


def read_models(path, models):
    """Give {prefix: model} the weights of a file; return its ten images and their positions."""
    with safe_open(path, framework="numpy") as file:
        for name, variable in named(models).items():
            variable.assign(file.get_tensor(name))
        positions = [int(text) for text in file.metadata()["positions"].split()]
        return file.get_tensor("samples"), positions
