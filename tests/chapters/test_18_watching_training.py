"""Chapter 18: stored tables and their sentences, event files by hand, a training killed at random moments and resumed."""

import ast
import json
import os
import random
import struct
import subprocess
import sys
import time

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
    listed = json.loads(json.dumps({"signs": CHAPTER["SIGNS"], "range": CHAPTER["AT_PARTS"], "wild": CHAPTER["WILD"], "early": {
        "flattery": CHAPTER["FLATTERY"], "lowest": CHAPTER["LOWEST_LOSS"]}}))
    assert listed == {name: table["table"] for name, table in STORED.items()}
    assert all(len(seeds) == 3 for seeds in CHAPTER["SIGNS"].values()) and len(CHAPTER["AT_PARTS"]) == 5
    assert set(CHAPTER["SIGNS"]) == {*CHAPTER["RUNS"], "labels slid", "far too fast"}


def test_the_five_patients_of_the_exercise_are_stored_runs():
    rows = [line.split("|")[1:-1] for line in nbformat.reads(TEXT, 4).cells[cell_of("### 1. Diagnose")].source.splitlines()
            if line.startswith("| ") and "run" not in line]
    assert [row[0].strip() for row in rows] == list("ABCDE")
    for letter, dead, first, last in rows:
        _, _, *seen, one, _, _, end = CHAPTER["SIGNS"][CHAPTER["CAUSES"][letter.strip()]][1]
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
    ratios = np.median(rows[5:, 3:], axis=0)
    stored = CHAPTER["SIGNS"][name][1]
    assert abs(loss - stored[0]) < 0.05 and 0.5 < gradient / stored[1] < 2
    assert abs(first_dead - stored[2]) < 0.3 and abs(last_dead - stored[3]) < 0.1
    assert np.allclose(ratios[:3], stored[4:7], rtol=0.5, atol=1e-5)


def test_the_sentences_on_wild_rates_say_what_was_measured():
    text = nbformat.reads(TEXT, 4).cells[cell_of("<b>Predict</b>: and with a rate of 100?")].source
    assert {rate: len(seeds) for rate, seeds in STORED["wild"]["table"].items()} == {"100": 2, "1000": 3}
    assert "On 2 of 24 seeds they overflow first" in text and "at a rate of 1,000 on 3 of 24" in text


def test_a_range_test_and_early_stopping_give_about_the_stored_numbers():
    """Seed 1, not the notebook's; loosely."""
    (x, y), _ = load_mnist()
    x, y = as_input(x), y.astype(np.int32)
    rates, curve = CHAPTER["range_test"](x[:6400], y[:6400], np.geomspace(1e-5, 1, 100), 1)
    lowest, ends = CHAPTER["AT_PARTS"][1]
    assert 1 / 3 < rates[curve.argmin()] / lowest < 3
    model = CHAPTER["make_adam_run"](0.3 * lowest, 1)
    model.fit(x[:5120], y[:5120], batch_size=64, verbose=0)
    assert abs(float(CHAPTER["COST"](y[:2000], model.predict_on_batch(x[:2000]))) - ends[3]) < 0.15
    right, losses = CHAPTER["judged_run"](x[:1000], y[:1000], x[TRAINING:], y[TRAINING:], 1)
    for by, scores in [("accuracy", None), ("loss", -losses)]:
        found, stored = CHAPTER["flattery"](right, 100, scores), CHAPTER["FLATTERY"][by][100][1]
        assert np.all(np.abs(found - stored) < [0.7, 0.7, 0.9])


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


def test_what_is_not_a_number_is_no_living_unit():
    (x, y), _ = load_mnist()
    model = CHAPTER["make_run"]()
    model.set_weights([w * np.nan for w in model.get_weights()])
    loss, length, dead = CHAPTER["vital_signs"](model, as_input(x[:40]), y[:40].astype(np.int32))
    assert np.isnan(loss) and np.isnan(length) and dead == 1


def test_a_range_test_sums_the_losses_of_its_steps():
    """At rates of nearly 0 nothing moves: the mean of all steps is the loss of the fresh network."""
    (x, y), _ = load_mnist()
    x, y = as_input(x[:640]), y[:640].astype(np.int32)
    model = CHAPTER["make_adam_run"](1e-12, 0)
    cost, test = float(CHAPTER["COST"](y, model.predict_on_batch(x))), CHAPTER["RangeTest"]([1e-12] * 10)
    model.fit(x, y, batch_size=64, verbose=0, callbacks=[test])
    assert len(test.sums) == 11 and np.isclose(test.sums[-1], 10 * cost, rtol=1e-4)
    given = np.geomspace(1e-12, 1e-11, 10)
    rates, losses = CHAPTER["range_test"](x, y, given, 0)
    assert np.array_equal(rates, given[3:-3]) and np.allclose(losses, cost, atol=0.1)
    with pytest.raises(ValueError, match="10 rates need 640 images, not 639"):
        CHAPTER["range_test"](x[:-1], y[:-1], given)


# --- early stopping ------------------------------------------------------------------------------------------------

def test_flattery_of_pure_luck_is_what_the_maximum_of_noise_predicts():
    """Thirty epochs that all guess with p = 0.5, independently: the mean maximum of thirty normal numbers is 2.04 sigma."""
    right = np.random.default_rng(1).random((30, 20_000)) < 0.5
    high, spread, _ = CHAPTER["flattery"](right, 100)
    assert abs(high - 100 * 2.04 * 0.05) < 1 and 1 < spread < 5


def test_those_who_chose_do_not_judge():
    """Half of 200 choose among epochs that are all right on half: what they see too much, the others see too little."""
    rng = np.random.default_rng(2)
    right = rng.permuted(np.tile(np.arange(200) < 100, (30, 1)), axis=1)
    assert abs(CHAPTER["flattery"](right, 100)[0] - 100 * 2 * 2.04 * np.sqrt(0.25 / 100 / 2)) < 1.5


def test_what_chooses_and_what_is_gained():
    right = np.repeat([[True], [False], [True]], 90, axis=1)
    right[2, :30] = False  # the last epoch: 2/3 right
    scores = np.repeat([[0.0], [2.0], [1.0]], 90, axis=1)
    high, spread, gain = CHAPTER["flattery"](right, 30, scores)  # the second epoch scores best
    assert high == spread == 0 and abs(gain + 100 * 2 / 3) < 2
    assert abs(CHAPTER["flattery"](right, 30)[2] - 100 / 3) < 2  # the first is right most


def test_no_flattery_where_all_epochs_are_one():
    right = np.tile(np.random.default_rng(1).random(5000) < 0.9, (30, 1))
    high, _, gain = CHAPTER["flattery"](right, 400)
    assert abs(high) < 0.4 and gain == 0


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


def test_a_record_that_is_cut_off_is_noticed_at_each_byte(tmp_path):
    path = tmp_path / "file"
    with tf.io.TFRecordWriter(str(path)) as writer:
        writer.write(b"first")
        writer.write(b"second")
    whole = path.read_bytes()
    for size in set(range(len(whole))) - {0, 21}:
        with pytest.raises(ValueError, match=f"cut off at byte {size}"):
            list(CHAPTER["records"](whole[:size]))
    assert list(CHAPTER["records"](whole[:21])) == [b"first"]
    path.write_bytes(whole[:21 + 5])  # as the text says of TensorFlow: inside a length it says nothing
    assert [body.numpy() for body in tf.data.TFRecordDataset(str(path))] == [b"first"]


def test_fields_of_all_kinds_and_cut_off():
    value = Event(step=300, summary={"value": [{"tag": "t", "simple_value": 0.5}]}).SerializeToString()
    (_, step), (_, summary) = CHAPTER["fields"](value)
    (_, inner), = CHAPTER["fields"](summary)
    assert step == 300 and dict(CHAPTER["fields"](inner)) == {1: b"t", 2: struct.pack("<f", 0.5)}
    for size in range(1, len(value)):
        if size != 3:  # there the first field ends
            with pytest.raises(ValueError, match=f"cut off at byte {size}"):
                list(CHAPTER["fields"](value[:size]))
    for kind in [3, 4, 6, 7]:
        with pytest.raises(ValueError, match=f"field 1 is of kind {kind}"):
            list(CHAPTER["fields"](bytes([8 + kind, 0])))


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


@pytest.mark.parametrize("case", [1, 2])
def test_a_run_killed_at_a_random_batch_and_resumed_is_the_uninterrupted_one(case, script, images, uninterrupted, tmp_path):
    seed = random.SystemRandom().randrange(2**32)
    epoch, batch = random.Random(seed).randint(1, 3), random.Random(seed).randint(0, 19)
    print(f"seed {seed}: killed in epoch {epoch}, after batch {batch}")
    np.savez(tmp_path / "images.npz", x=images[0], y=images[1])
    killed = CHAPTER["run_until"](script, str(tmp_path), f"epoch {epoch} batch {batch}")
    assert not any(line.startswith("digest") for line in killed) and (tmp_path / "state.npz").exists()
    resumed = CHAPTER["run_until"](script, str(tmp_path), "digest")
    assert resumed[0] == f"epoch {epoch} batch 0" and resumed[-1] == uninterrupted


SAVES = """
import os, sys, types, numpy as np
{functions}
class Variable:
    def __init__(self, value): self.value = value
    def numpy(self): return np.full(40_000, self.value)
for epoch in range(1, 10**9):
    optimizer = types.SimpleNamespace(variables=[Variable(epoch)])
    save_state(types.SimpleNamespace(variables=[Variable(epoch)] * 5, optimizer=optimizer), sys.argv[1], epoch)
    if epoch == 1: print("saved", flush=True)
"""


def test_killed_at_any_moment_of_a_save_there_is_a_whole_state(tmp_path):
    path, program = str(tmp_path / "state.npz"), SAVES.format(functions=source_of("everything") + source_of("save_state"))
    for _ in range(10):
        with subprocess.Popen([sys.executable, "-c", program, path], stdout=subprocess.PIPE) as child:
            try:
                assert child.stdout.readline() == b"saved\n"
                time.sleep(random.SystemRandom().random() * 0.05)
            finally:
                child.kill()
        with np.load(path) as file:
            assert len(file.files) == 7 and all(np.all(file[name] == file["epoch"]) for name in file.files)


def test_a_state_has_its_name_only_when_all_of_it_is_on_the_disk(tmp_path, monkeypatch):
    model, path, seen = CHAPTER["learner"](), str(tmp_path / "state.npz"), []
    count = len(CHAPTER["everything"](model)) + 1
    real = {name: getattr(os, name) for name in ("fsync", "replace")}

    def watched(name):
        def step(*inputs):
            with np.load(path + ".new") as file:  # all is written
                seen.append((name, len([file[key] for key in file.files])))
            return real[name](*inputs)
        return step

    for name in real:
        monkeypatch.setattr(os, name, watched(name))
    CHAPTER["save_state"](model, path, 1)
    assert seen == [("fsync", count), ("replace", count)] and os.listdir(tmp_path) == ["state.npz"]


def test_a_file_for_another_network_is_not_loaded_in_part(tmp_path):
    model, path = CHAPTER["learner"](), str(tmp_path / "state.npz")
    CHAPTER["save_state"](model, path, 1)
    unbuilt = keras.models.clone_model(model)
    unbuilt.compile("adam", CHAPTER["COST"])
    before = unbuilt.get_weights()
    with pytest.raises(ValueError, match="arrays"):
        CHAPTER["load_state"](unbuilt, path)
    assert all(np.array_equal(a, b) for a, b in zip(before, unbuilt.get_weights(), strict=True))


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


@pytest.mark.parametrize("answer", ["DBEAC", "dbeac", "D B E A C", "D, B, E, A, C", list("DBEAC"), np.array(list("DBEAC"))])
def test_a_right_diagnosis_may_be_written_anyhow(answer):
    assert CHAPTER["check_diagnosis"](answer).startswith("Correct")


@pytest.mark.parametrize("answer", ["ebfda", "E B F D A", "E, B, F, D, A", list("EBFDA"), np.array(list("EBFDA"))])
def test_a_right_order_may_be_written_anyhow(answer):
    assert CHAPTER["check_save"](answer).startswith("Correct")


def test_the_validation_images_are_held_back():
    assert TRAINING == 55_000 and "x_all[55_000:]" in TEXT and "(x_all, y_all), _ = load_mnist()" in TEXT
