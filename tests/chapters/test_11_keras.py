"""Chapter 11: the styles of one network, chapter 10's weights in it, the reader's pictures, broken files, the long curves."""

import json
import os
import re

import keras
import nbformat
import numpy as np
import pytest
from conftest import ROOT, definitions, find_notebook

CHAPTER = definitions("11")


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).random((8, 28, 28, 1), dtype=np.float32)


def test_three_styles_and_raw_tensorflow_are_one_network(images):
    parameters = CHAPTER["init_parameters"](seed=3)
    expected = CHAPTER["forward"](parameters, images)
    np.testing.assert_allclose(definitions("10")["forward_numpy"](parameters, images), expected, rtol=0, atol=1e-4)
    for make in "sequential_network", "functional_network", "SubclassedNetwork":
        model = CHAPTER[make]()
        model(images)
        model.set_weights([variable.numpy() for variable in parameters.values()])
        np.testing.assert_allclose(model(images), expected, rtol=0, atol=1e-4)
        assert not np.allclose(model(images, training=True), expected, atol=1e-3)  # dropout is on


def test_a_broken_file_is_refused_with_a_sentence(tmp_path, images):
    model = CHAPTER["sequential_network"]()
    model.save(tmp_path / "good.keras")
    np.testing.assert_array_equal(CHAPTER["load_network"](tmp_path / "good.keras")(images), model(images))
    whole = (tmp_path / "good.keras").read_bytes()
    for size in 0, 10, len(whole) // 2, len(whole) - 1:
        (tmp_path / "cut.keras").write_bytes(whole[:size])
        with pytest.raises(ValueError, match="cut.keras is damaged or no .keras file"):
            CHAPTER["load_network"](tmp_path / "cut.keras")
    with pytest.raises(ValueError, match="there is no file .*gone.keras"):
        CHAPTER["load_network"](tmp_path / "gone.keras")
    keras.Sequential([keras.Input((28, 28, 3)), keras.layers.Flatten(), keras.layers.Dense(10)]).save(tmp_path / "colour.keras")
    with pytest.raises(ValueError, match=r"\(None, 28, 28, 3\)"):
        CHAPTER["load_network"](tmp_path / "colour.keras")


def test_the_tables_are_what_the_script_wrote():
    curves = json.loads((ROOT / "data" / "curves.json").read_text())
    assert CHAPTER["SGD_CURVE"] == {point["step"]: point["accuracy"] for point in curves["sgd"]["points"]}
    assert CHAPTER["ADAM_CURVE"] == {round(point["epochs"]): point["accuracy"] for point in curves["adam"]["points"]}
    text = find_notebook("11").read_text()
    for epoch, accuracy in CHAPTER["ADAM_CURVE"].items():
        assert re.search(rf"\| {epoch} \|[^|]+\|[^|]+\| {accuracy} \|", text), (epoch, accuracy)
    for epoch, accuracy in CHAPTER["SLIDES"].items():
        assert re.search(rf"\| {epoch} \|[^|]+\| {accuracy} \|", text), (epoch, accuracy)


def test_a_registered_class_comes_back_with_its_rate(tmp_path, images):
    for rate in 0.25, 0.4:
        model = CHAPTER["SavedNetwork"](rate)
        model(images)
        model.save(tmp_path / "mine.keras")
        again = keras.models.load_model(tmp_path / "mine.keras")
        assert again.dropout.rate == rate
        np.testing.assert_array_equal(again(images), model(images))


def test_registering_alone_is_not_enough(tmp_path, images):
    registered = keras.saving.register_keras_serializable("test_11")
    model = registered(type("Registered", (CHAPTER["SubclassedNetwork"],), {}))(rate=0.25)
    model(images)
    model.save(tmp_path / "mine.keras")
    with pytest.raises(TypeError, match="could not be deserialized"):
        keras.models.load_model(tmp_path / "mine.keras")


def test_nothing_trains_once_the_test_set_is_open():
    cells = [cell.source for cell in nbformat.read(find_notebook("11"), as_version=4).cells if cell.cell_type == "code"]
    opened = next(i for i, source in enumerate(cells) if re.search(r"\b[xy]_test\b", source.partition("def load_mnist")[0]))
    assert any(".fit(" in source for source in cells[:opened])
    assert not [source for source in cells[opened:] if ".fit(" in source]


def test_the_notebook_leaves_no_file_behind():
    assert not [name for name in os.listdir(ROOT / "notebooks") if name.endswith((".keras", ".npz", ".h5"))]
