"""The page "Translate old code": what its tables call old fails today, what stands beside it runs, and the traps are there."""

import re
import tempfile

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import ROOT

PAGE = (ROOT / "book" / "old_code.md").read_text(encoding="utf-8")


def table(heading):
    """Return the rows of the table under a heading, each a list of the codes in its cells."""
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split(" | ") for line in section.splitlines() if line.startswith("|")][2:]
    return [[re.findall(r"`([^`]+)`", cell) for cell in row] for row in rows]


def names():
    """Return the names that the codes use: a small network and its data."""
    rng = np.random.default_rng(0)
    model = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10)])
    images, h = rng.random((4, 28, 28, 1)).astype("float32"), rng.random((4, 6)).astype("float32")
    short = {**vars(keras.initializers), **vars(keras.optimizers), **vars(keras.losses), **vars(keras.layers)}
    return {**short, "tf": tf, "keras": keras, "np": np, "x": images, "h": h, "labels": np.arange(4), "logits": rng.random((4, 10)).astype("float32"),
            "w": tf.Variable(rng.random((5, 5, 1, 32)).astype("float32")), "v": rng.random((6, 10)).astype("float32"), "b": np.zeros(10, "float32"),
            "y": h, "model": model, "batches": iter([(images, np.arange(4))]), "folder": tempfile.mkdtemp()}


FROM_1, FROM_2 = table("Move from TensorFlow 1"), table("Move from Keras 2 to Keras 3")
OLD = [row[0][0] for row in FROM_1 + FROM_2]
NEW = [code for row in FROM_1 for cell in row[1:3] for code in cell] + [row[1][0] for row in FROM_2]


@pytest.mark.parametrize("code", OLD)
def test_what_is_old_fails(code):
    with pytest.raises((AttributeError, TypeError, ValueError)):
        eval(code, names())


@pytest.mark.parametrize("code", dict.fromkeys(NEW))
def test_what_stands_beside_it_runs(code):
    assert eval(code, names()) is not None or "seed" in code


def test_both_columns_of_a_row_do_the_same():
    values, compared = names(), 0
    for row in FROM_1:
        if len(row[1]) == len(row[2]) == 1 and row[1] != ["y"] and row[2][0].endswith(("(x)", "(h)", "(labels, logits)", '"float32")')):
            two, three = (np.asarray(eval(cell[0], values)) for cell in row[1:3])
            if "cross_entropy" not in row[1][0]:
                assert two.shape == three.shape, row
            if not re.search("Conv2D|Dense|Dropout|entropy", row[2][0]):
                np.testing.assert_allclose(two, three, atol=1e-5, err_msg=str(row))
                compared += 1
    assert compared >= 4


def test_the_traps():
    values = names()
    each = tf.nn.sparse_softmax_cross_entropy_with_logits(values["labels"], values["logits"])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    assert each.shape == (4,) and np.isclose(loss(values["labels"], values["logits"]), np.mean(each))
    assert not keras.losses.SparseCategoricalCrossentropy().get_config()["from_logits"]
    assert keras.initializers.TruncatedNormal().stddev == 0.05 and np.std(tf.random.truncated_normal([9999])) > 0.8
    assert keras.optimizers.Adam().epsilon == 1e-7 and float(keras.optimizers.SGD().learning_rate) == np.float32(0.01)
    assert isinstance(keras.layers.Dense(1).kernel_initializer, keras.initializers.GlorotUniform)
    assert keras.layers.Conv2D(1, 1).padding == keras.layers.MaxPooling2D(2).padding == "valid"
    ones = np.ones((1, 10_000), "float32")
    assert np.array_equal(keras.layers.Dropout(0.4)(ones), ones) and not np.array_equal(tf.nn.dropout(ones, 0.4), ones)
    assert abs(np.mean(tf.nn.dropout(ones, rate=0.25) == 0) - 0.25) < 0.03
    assert keras.models.Sequential([keras.Input((2,)), keras.layers.Dense(3)]).layers[0].activation is keras.activations.linear
    with pytest.warns(UserWarning, match="input_shape"):
        keras.layers.Conv2D(32, 5, input_shape=(28, 28, 1))


def test_the_old_words_are_mostly_in_compat_v1():
    def known(code):
        thing = tf.compat.v1
        try:
            for name in re.match(r"tf\.([\w.]+)", code)[1].split("."):
                thing = getattr(thing, name)
        except AttributeError:
            return False
        return True

    found = [known(row[0][0]) for row in FROM_1]
    assert len(found) / 2 < sum(found) < len(found)
