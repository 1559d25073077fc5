"""Chapter 20: the stored tables and their sentences, the stop-watch on a clock of its own, the ways on other sizes, the bills."""

import json
import subprocess
import time

import numpy as np
import pytest
import tensorflow as tf
from conftest import definitions, examples
from hypothesis import given
from hypothesis import strategies as st

from tools.book.files import ROOT, find_notebook

CHAPTER = definitions("20")
STORED = json.loads((ROOT / "data" / "speed.json").read_text())
TEXT = "".join(cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
               for cell in json.loads(find_notebook("20").read_text())["cells"])
take_turns, times, neighbours = (CHAPTER[n] for n in ("take_turns", "times", "neighbours"))


def runs(table):
    return STORED[table]["runs"]


# --- what the script wrote -----------------------------------------------------------------------------------------

def test_the_steps_are_what_the_script_wrote():
    for way, row in CHAPTER["STEP_MS"].items():
        assert row == {name: runs("steps")[f"{name}, {'step' if way == 'tf.function' else way}"] for name in ("large", "small")}


def test_the_batches_are_what_the_script_wrote():
    for name, row in CHAPTER["IMAGE_US"].items():
        assert row == {size: runs("batches")[f"{name}, {size}"] for size in row}
    for size, (rate, right) in CHAPTER["LEARNED"].items():
        seeds = {r: tuple(runs("learning")[f"batch {size}, rate {r:g}, seed {seed}"] for seed in range(3)) for r in STORED["learning"]["rates"]}
        assert right == seeds[rate] and np.mean(right) == max(map(np.mean, seeds.values()))
        assert rate in STORED["learning"]["rates"][1:-1], "the best rate at an end of the sweep"


def test_the_formats_are_what_the_script_wrote():
    for (machine, what), row in CHAPTER["FORMATS_MS"].items():
        assert row == tuple(runs("formats")[f"{machine}, {what}, {name}"] for name in ("float32", "bfloat16", "float16"))


def test_the_sentences_have_the_stored_numbers():
    step = runs("steps")
    assert f"{step['small, fit']:.1f} milliseconds became {step['small, fit, 20 steps an execution']:.1f} for the small network" in TEXT
    assert f"the large step took {step['large, fit, jit_compile'] / step['large, fit']:.1f} times as long" in TEXT
    means = {size: np.mean(right) for size, (_, right) in CHAPTER["LEARNED"].items()}
    rates = {size: rate for size, (rate, _) in CHAPTER["LEARNED"].items()}
    cost = CHAPTER["IMAGE_US"]["small"]
    assert (f"From 16 to 256 the accuracy stays ({means[16]:.3f}, {means[64]:.3f}, {means[256]:.3f}, means of three seeds), while an image becomes {cost[16] / cost[256]:.1f} times cheaper "
            f"and the best rate grows from {rates[16]:g} to {rates[256]:g}.") in TEXT
    assert f"At 4,096 an image is another {cost[256] / cost[4096]:.1f} times cheaper, and the accuracy is {means[4096]:.3f}" in TEXT
    taken = {name: [value / row[0] for value in row] for name, row in CHAPTER["FORMATS_MS"].items()}
    product, conv2 = (taken["this processor", name] for name in ("product", "conv2"))
    assert f"bfloat16 takes {product[1]:.2f} times as long as float32 for the product" in TEXT and f"{conv2[1]:.2f} times for conv2" in TEXT


# --- the stop-watch ------------------------------------------------------------------------------------------------

class Staged:
    """A clock that moves by written costs."""

    def __init__(self, costs):
        self.now, self.calls, self.costs = 0.0, [], {name: list(row) for name, row in costs.items()}

    def way(self, name):
        def run():
            self.calls.append(name)
            self.now += self.costs[name].pop(0)
        return run


@examples(30)
@given(rows=st.lists(st.lists(st.integers(1, 99), min_size=3, max_size=3), min_size=2, max_size=7))
def test_take_turns_warms_up_and_takes_turns(rows):
    clock = Staged({"a": [row[0] for row in rows], "b": [row[1] for row in rows], "c": [row[2] for row in rows]})
    found = take_turns({name: clock.way(name) for name in "abc"}, len(rows) - 1, lambda: clock.now)
    assert clock.calls == ["a", "b", "c"] * len(rows)
    assert {name: seconds.tolist() for name, seconds in found.items()} == {name: [row[i] for row in rows[1:]] for i, name in enumerate("abc")}
    assert times(found, "a", "b") == np.median([row[0] / row[1] for row in rows[1:]])


def test_the_neighbours_go_away(monkeypatch):
    started = []
    real = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda *args, **more: started.append(real(*args, **more)) or started[-1])
    with pytest.raises(KeyError), neighbours(1):
        assert started and all(one.poll() is None for one in started)
        raise KeyError
    assert all(one.poll() is not None for one in started)


def test_the_neighbours_end_by_themselves():
    assert CHAPTER["BUSY"].splitlines()[1:] == ["end = time.time() + 9", "while time.time() < end: pass"]
    begin = time.time()
    exec(CHAPTER["BUSY"].replace("+ 9", "+ 0.05"), {})
    assert 0.04 < time.time() - begin < 5


# --- the ways, and the bills -----------------------------------------------------------------------------------------

@examples(20)
@given(H=st.integers(9, 20), W=st.integers(9, 20), FH=st.integers(1, 6), FW=st.integers(1, 6), seed=st.integers(0, 99))
def test_the_ways_agree_on_any_size(H, W, FH, FW, seed):
    rng = np.random.default_rng(seed)
    x, column, row = rng.normal(size=(H, W)), rng.normal(size=FH), rng.normal(size=FW)
    w = np.outer(column, row)
    exact = CHAPTER["correlate2d_loops"](x, w)
    for y in (CHAPTER["by_shifts"](x, w), CHAPTER["by_windows"](x, w), CHAPTER["by_matrix"](x, w), CHAPTER["by_two_thin"](x, column, row)):
        assert np.allclose(y, exact, atol=1e-10)


def test_what_is_left_out_of_the_race():
    names = {F: {name for name, _ in CHAPTER["ways_for"](np.zeros((80, 80), np.float32), F)} for F in CHAPTER["SIDES"]}
    everything = {"loops", "shifts", "windows", "matrix", "two thin", "Fourier", "conv2d"}
    assert [everything - names[F] for F in CHAPTER["SIDES"]] == [set(), set(), set(), {"matrix"}, {"matrix", "shifts"}]
    assert round(498**2 * 15**2 * 4 / 1e6) == 223 and "223 MB" in TEXT


@pytest.mark.parametrize("images", [1, 128])
@pytest.mark.parametrize("name", ["conv1", "conv2", "fc1"])
def test_the_bill_counts_the_arrays_of_the_layer(name, images):
    (side, C), (FH, FW, _, K) = CHAPTER["MNIST_COSTS"][name]
    y = CHAPTER["layer_call"](name, images)()
    operations, moved = CHAPTER["bill"](name, images)
    assert y.size == images * side * side * K and y.dtype == np.float32
    assert operations == 2 * y.size * FH * FW * C
    assert moved == 4 * (images * side * side * C + FH * FW * C * K + y.size)


def test_the_parts_of_a_step_are_those_of_fit():
    tf.random.set_seed(0)
    model = CHAPTER["small_reader"]()
    images, labels = tf.random.uniform((8, 28, 28, 1)), tf.range(8) % 10
    parts = CHAPTER["parts_of_step"](model, images, labels)
    before = [w.numpy() for w in model.trainable_variables]
    loss = parts["forward"]()
    assert np.isclose(loss, CHAPTER["COST"](labels, model(images)))
    slopes = parts["and back"]()
    assert [g.shape for g in slopes] == [w.shape for w in before]
    assert all(np.array_equal(a, b) for a, b in zip(before, model.trainable_variables))
    for _ in range(30):
        parts["step"]()
    assert parts["forward"]() < loss
