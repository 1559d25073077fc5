"""Chapter 18: stored tables and their sentences, event files by hand, a training killed at random moments and resumed."""

import ast
import json
import random
import struct

import keras
import nbformat
import numpy as np
import pytest
import tensorflow as tf
from conftest import definitions, examples
from hypothesis import given
from hypothesis import strategies as st
from tensorboard.compat.proto.event_pb2 import Event

from tools.book.files import ROOT, find_notebook
from tools.make.data import TRAINING, as_input, load_mnist

CHAPTER = definitions("18")
STORED = json.loads((ROOT / "data" / "watching.json").read_text())
TEXT = find_notebook("18").read_text()


# --- what the script wrote -----------------------------------------------------------------------------------------

def test_the_tables_are_what_the_script_wrote():
    listed = json.loads(json.dumps({"signs": CHAPTER["SIGNS"], "range": CHAPTER["AT_PARTS"], "early": {
        "flattery": CHAPTER["FLATTERY"], "lowest": CHAPTER["LOWEST_LOSS"]}}))
    assert listed == {name: table["table"] for name, table in STORED.items()}
    assert all(len(seeds) == 3 for seeds in CHAPTER["SIGNS"].values()) and len(CHAPTER["AT_PARTS"]) == 5
    assert set(CHAPTER["SIGNS"]) == {*CHAPTER["RUNS"], "labels slid", "far too fast"}


def test_the_five_patients_of_the_exercise_are_stored_runs():
    rows = [line.split("|")[1:-1] for line in nbformat.reads(TEXT, 4).cells[cell_of("### 1. Diagnose")].source.splitlines()
            if line.startswith("| ") and "run" not in line]
    assert [row[0].strip() for row in rows] == list("ABCDE")
    for letter, dead, first, last in rows:
        _, _, *seen, one, end = CHAPTER["SIGNS"][CHAPTER["CAUSES"][letter.strip()]][1]
        assert np.allclose([float(part) for part in dead.split(",")], seen, rtol=0, atol=0.0051)
        assert np.allclose([float(first), float(last)], [one, end], rtol=0.03, atol=1e-6)


def cell_of(words):
    """Return the number of the first cell with these words."""
    return next(n for n, cell in enumerate(nbformat.reads(TEXT, 4).cells) if words in cell.source)


@pytest.mark.parametrize("name", ["sigmoid", "too fast"])
def test_runs_give_the_stored_signs(name):
    """Another seed than the notebook's, and loosely: another processor adds up in another order."""
    (x, y), _ = load_mnist()
    rows = CHAPTER["watched_run"](as_input(x[:6400]), y[:6400].astype(np.int32), 1, **CHAPTER["RUNS"][name])
    loss, gradient, _, first_dead, last_dead, *_ = *np.median(rows[5:, :3], axis=0), rows[0, 2], rows[-1, 2]
    stored = CHAPTER["SIGNS"][name][1]
    assert abs(loss - stored[0]) < 0.05 and 0.5 < gradient / stored[1] < 2
    assert abs(first_dead - stored[2]) < 0.3 and abs(last_dead - stored[3]) < 0.1


# --- signs ---------------------------------------------------------------------------------------------------------

def test_vital_signs_are_those_of_a_plain_computation():
    (x, y), _ = load_mnist()
    x, y = as_input(x[:40]), y[:40].astype(np.int32)
    keras.utils.set_random_seed(3)
    model = CHAPTER["make_run"](bias=-0.15)
    loss, length, dead = CHAPTER["vital_signs"](model, x, y)
    with tf.GradientTape() as tape:
        cost = CHAPTER["COST"](y, model(x))
    slopes = tape.gradient(cost, model.trainable_variables)
    hidden = keras.Model(model.inputs[0], model.layers[-2].output)(x).numpy()
    assert np.isclose(loss, cost, rtol=1e-5)
    assert np.isclose(length, np.sqrt(sum(np.sum(np.square(s)) for s in slopes)), rtol=1e-4)
    assert dead == np.mean([not unit.any() for unit in hidden.T]) and 0 < dead < 1


def test_watch_measures_the_step_itself():
    """Plain gradient descent: the step is the rate times the gradient of that batch."""
    (x, y), _ = load_mnist()
    x, y = as_input(x[:64]), y[:64].astype(np.int32)
    keras.utils.set_random_seed(0)
    model = CHAPTER["make_run"](rate=0.25)
    with tf.GradientTape() as tape:
        cost = CHAPTER["COST"](y, model(x))
    kernels = [layer.kernel for layer in model.layers if layer.weights]
    expected = [0.25 * np.linalg.norm(s) / np.linalg.norm(w) for s, w in zip(
        tape.gradient(cost, [w.value for w in kernels]), kernels, strict=True)]
    watch = CHAPTER["Watch"](x, y)
    model.fit(x, y, batch_size=64, verbose=0, callbacks=[watch])
    assert len(watch.rows) == 1 and np.allclose(watch.rows[0][3:], expected, rtol=1e-3)


# --- early stopping ------------------------------------------------------------------------------------------------

def test_flattery_of_pure_luck_is_what_the_maximum_of_noise_predicts():
    """Thirty epochs that all guess with p = 0.5, independently: the mean maximum of thirty normal numbers is 2.04 sigma."""
    right = np.random.default_rng(1).random((30, 20_000)) < 0.5
    assert abs(CHAPTER["flattery"](right, 100) - 100 * 2.04 * 0.05) < 1


def test_no_flattery_where_all_epochs_are_one():
    right = np.tile(np.random.default_rng(1).random(5000) < 0.9, (30, 1))
    assert abs(CHAPTER["flattery"](right, 400)) < 0.4


# --- event files by hand -------------------------------------------------------------------------------------------

@examples(60)
@given(bodies=st.lists(st.binary(max_size=300), max_size=4))
def test_records_are_those_of_tensorflow(bodies, tmp_path_factory):
    path = str(tmp_path_factory.mktemp("records") / "file")
    with tf.io.TFRecordWriter(path) as writer:
        for body in bodies:
            writer.write(body)
    with open(path, "rb") as file:
        assert list(CHAPTER["records"](file.read())) == bodies


@examples(60)
@given(place=st.integers(0, 10**6), bit=st.integers(0, 7))
def test_a_flipped_bit_is_noticed(place, bit):
    masked = CHAPTER["masked_crc"]
    body, length = b"some bytes", struct.pack("<Q", 10)
    data = bytearray(length + struct.pack("<I", masked(length)) + body + struct.pack("<I", masked(body)))
    assert list(CHAPTER["records"](bytes(data))) == [body]
    data[place % len(data)] ^= 1 << bit
    with pytest.raises(ValueError, match="damaged"):
        list(CHAPTER["records"](bytes(data)))


@examples(100)
@given(step=st.integers(0, 2**62), version=st.text(max_size=200), time=st.floats(allow_nan=False))
def test_fields_are_those_of_protocol_buffers(step, version, time):
    found = dict(CHAPTER["fields"](Event(step=step, file_version=version, wall_time=time).SerializeToString()))
    assert found.get(2, 0) == step and found.get(3, b"").decode() == version
    assert struct.unpack("<d", found.get(1, bytes(8)))[0] == time


# --- saving and resuming -------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def images():
    (x, y), _ = load_mnist()
    return as_input(x[:1280]), y[:1280].astype(np.int32)


def source_of(name):
    """Return the text of a function of the chapter, as `inspect.getsource` gives it in a notebook."""
    for cell in nbformat.reads(TEXT, 4).cells:
        if cell.cell_type == "code" and f"def {name}(" in cell.source:
            node = next(node for node in ast.parse(cell.source).body if getattr(node, "name", "") == name)
            return ast.get_source_segment(cell.source, node) + "\n"
    raise KeyError(name)


@pytest.fixture(scope="module")
def script():
    names = ["learner", "learn", "everything", "save_state", "load_state", "digest"]
    return CHAPTER["HEAD"] + "\n".join(map(source_of, names)) + CHAPTER["TAIL"]


@pytest.fixture(scope="module")
def uninterrupted(script, images, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    np.savez(folder / "images.npz", x=images[0], y=images[1])
    return CHAPTER["run_until"](script, str(folder), "digest")[-1]


MOMENTS = random.Random(18).sample([(epoch, batch) for epoch in range(4) for batch in range(20)], 2)


@pytest.mark.parametrize(("epoch", "batch"), MOMENTS)
def test_a_run_killed_at_a_random_batch_and_resumed_is_the_uninterrupted_one(epoch, batch, script, images, uninterrupted, tmp_path):
    print(f"killed after epoch {epoch}, batch {batch}")
    np.savez(tmp_path / "images.npz", x=images[0], y=images[1])
    killed = CHAPTER["run_until"](script, str(tmp_path), f"epoch {epoch} batch {batch}")
    assert not any(line.startswith("digest") for line in killed)
    assert (tmp_path / "state.npz").exists() == (epoch > 0)
    resumed = CHAPTER["run_until"](script, str(tmp_path), "digest")
    assert resumed[0] == f"epoch {epoch} batch 0" and resumed[-1] == uninterrupted


def test_a_child_that_never_says_the_word_is_reported_and_does_not_stay(tmp_path):
    with pytest.raises(RuntimeError, match="ended early: .*ZeroDivisionError"):
        CHAPTER["run_until"]("1 / 0", str(tmp_path), "epoch")
    with pytest.raises(RuntimeError, match="ended early: hello"):  # hangs: the guard ends it
        CHAPTER["run_until"]("import time\nprint('hello', flush=True)\ntime.sleep(600)", str(tmp_path), "epoch", seconds=2)


def test_a_save_that_fails_leaves_the_old_state(images, tmp_path, monkeypatch):
    keras.utils.set_random_seed(0)
    model, path = CHAPTER["learner"](), str(tmp_path / "state.npz")
    CHAPTER["save_state"](model, path, 3)
    old = (tmp_path / "state.npz").read_bytes()

    def half(file, **arrays):
        file.write(b"half of")
        raise OSError("no space left")

    monkeypatch.setattr(np, "savez", half)
    with pytest.raises(OSError, match="no space"):
        CHAPTER["save_state"](model, path, 4)
    monkeypatch.undo()
    assert (tmp_path / "state.npz").read_bytes() == old and CHAPTER["load_state"](model, path) == 3


def test_each_variable_of_a_training_has_its_piece():
    model = CHAPTER["learner"]()
    pieces = [CHAPTER["piece_of"](variable) for variable in CHAPTER["everything"](model)]
    assert {piece: pieces.count(piece) for piece in set(pieces)} == {
        "weights": 6, "moments": 12, "step counter": 1, "dropout state": 1, "learning rate": 1}


def test_the_validation_images_are_held_back():
    assert TRAINING == 55_000 and "x_all[55_000:]" in TEXT and "(x_all, y_all), _ = load_mnist()" in TEXT
