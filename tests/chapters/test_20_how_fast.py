"""Chapter 20: the stored tables and their sentences, the stop-watch on a clock of its own, the ways on other sizes, the bills."""

import json
import statistics
import subprocess
import time

import numpy as np
import pytest
import tensorflow as tf
from conftest import definitions, examples
from hypothesis import given
from hypothesis import strategies as st

from tools.book.files import ROOT, find_notebook
from tools.make import frameworks

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


def test_the_threads_are_what_the_script_wrote():
    assert CHAPTER["THREADS_MS"] == {what: (runs("threads")[f"{what}, 1"], runs("threads")[f"{what}, 2"]) for what in ("product", "large", "small")}


MACHINES = {"Intel with AMX": "this processor", "the same, without": "imitation"}


def test_the_formats_are_what_the_script_wrote():
    assert {machine for machine, _ in CHAPTER["FORMATS_MS"]} == set(MACHINES)
    for (machine, what), row in CHAPTER["FORMATS_MS"].items():
        found = [runs("formats").get(f"{MACHINES[machine]}, {what}, {name}") for name in ("float32", "bfloat16", "float16")]
        assert row == tuple(ms for ms in found if ms) and len(row) >= 2


def test_the_machine_is_named():
    for table, about in STORED.items():
        assert about["cores"] == 2 and "provisional" not in about, table
        assert all(word in about["processor"] for word in ("Intel(R) Xeon(R)", "avx512f", "amx_bf16")), table


def test_the_sentences_have_the_stored_numbers():
    step = runs("steps")
    lost = {name: step[f"{name}, eager"] - step[f"{name}, step"] for name in ("large", "small")}
    assert f"The large one loses more milliseconds ({lost['large']:.0f} against {lost['small']:.0f} in the table below)" in TEXT and lost["small"] > 0.85 * step["small, eager"]
    small, large = ([step[f"{name}, fit{more}"] for more in ("", ", 20 steps an execution", ", jit_compile")] for name in ("small", "large"))
    assert f"{small[0]:.1f} milliseconds became {small[1]:.1f} for the small network, {large[0]:.0f} became {large[1]:.0f} for the large one" in TEXT
    assert f"the large step took {large[2] / large[0]:.1f} times as long" in TEXT
    means = {size: np.mean(right) for size, (_, right) in CHAPTER["LEARNED"].items()}
    rates = {size: rate for size, (rate, _) in CHAPTER["LEARNED"].items()}
    cost = CHAPTER["IMAGE_US"]["small"]
    assert f"from 16 to 256 an image became {cost[16] / cost[256]:.1f} times cheaper for the small network" in TEXT
    assert (f"From 16 to 256 the accuracy stays ({means[16]:.3f}, {means[64]:.3f}, {means[256]:.3f}, means of three seeds), while an image becomes {cost[16] / cost[256]:.1f} times cheaper "
            f"and the best rate grows to {rates[256]:g} (at 16, 0.001 and 0.003 tie). At 1,024 it has begun to fall, to {means[1024]:.3f}.") in TEXT
    assert f"At 4,096 an image is another {cost[256] / cost[4096]:.1f} times cheaper, and the accuracy is {means[4096]:.3f}" in TEXT
    tie = [np.mean([runs("learning")[f"batch 16, rate {rate}, seed {seed}"] for seed in range(3)]) for rate in (0.001, 0.003)]
    assert rates[16] == 0.001 and abs(tie[0] - tie[1]) < 1e-4
    back = (step["large, and back"] - step["large, forward"]) / step["large, forward"]
    assert f"{back:.1f} times on the idle machine of the table below" in TEXT
    faster = [one / two for one, two in CHAPTER["THREADS_MS"].values()]
    assert "The product becomes {:.2f} times as fast, the large step {:.2f} times, the small one {:.2f} times.".format(*faster) in TEXT
    taken = {name: [value / row[0] for value in row] for name, row in CHAPTER["FORMATS_MS"].items()}
    with_it, without = ([taken[machine, name] for name in ("product", "conv2", "large")] for machine in MACHINES)
    assert "bfloat16 takes {:.2f} times as long as float32 for the product, {:.2f} times for conv2 and {:.2f} times for the whole step".format(*(row[1] for row in with_it)) in TEXT
    assert "float16 {:.2f} times for the product and {:.2f} times for conv2.".format(*(row[2] for row in with_it[:2])) in TEXT
    assert "bfloat16 takes {:.1f} times as long as float32 for the product, {:.1f} times for conv2 and {:.1f} times for the step".format(*(row[1] for row in without)) in TEXT


# --- beside other libraries ----------------------------------------------------------------------------------------

LIBRARIES = json.loads(frameworks.OUTPUT.read_text())
PEAK = frameworks.peak_of(LIBRARIES["steps"])


def medians(part):
    return {name: statistics.median(row) for name, row in part.items()}


def by_rounds(rows, a, b):
    return statistics.median(x / y for x, y in zip(rows[a], rows[b], strict=True))


def test_the_libraries_are_what_the_script_wrote():
    steps = LIBRARIES["steps"]
    found = {f"{name}, {kind}": ms for name, kinds in steps["ms"].items() for kind, ms in medians(kinds).items()}
    assert list(CHAPTER["LIBRARIES_MS"].items()) == sorted(found.items(), key=lambda pair: pair[1])
    assert CHAPTER["PRODUCTS"] == {name: max(medians(sizes).values()) for name, sizes in steps["peak"].items()}
    assert PEAK == CHAPTER["PRODUCTS"]["PyTorch"] and CHAPTER["STEP_OPERATIONS"] == frameworks.MFLOP * 1e6 * frameworks.BATCH
    assert steps["cores"] == 2 and "AMX" in TEXT and "amx_bf16" in LIBRARIES["machine"]["instructions"] and "Xeon" in LIBRARIES["machine"]["cpu"]
    rows = {f"{name}, {kind}": row for name, kinds in steps["ms"].items() for kind, row in kinds.items()}
    fit = "TensorFlow, Keras fit"
    ratios = {name: by_rounds(rows, name, fit) for name in rows}
    assert f"it takes {ratios['TensorFlow, the loop, tuned']:.2f} times `fit`'s time, the loop as it is {ratios['TensorFlow, the loop']:.2f} times" in TEXT
    four = list(CHAPTER["LIBRARIES_MS"])[:4]
    assert set(four) == {fit, "TensorFlow, the loop, tuned", "PyTorch, channels_last", "PyTorch, channels_last, pooled before the ReLU"}
    for name in four[1:]:  # a tie: each was ahead of fit in some round, and behind in some
        rounds = [x / y for x, y in zip(rows[name], rows[fit], strict=True)]
        assert min(rounds) < 1 < max(rounds) and ratios[name] < 1.1
    assert all(ratios[name] > 1.3 for name in list(CHAPTER["LIBRARIES_MS"])[4:])


def test_the_seconds_are_what_the_script_wrote():
    rows = {}
    for _, who, seconds, whole, *_ in frameworks.accuracy_rows(LIBRARIES["accuracy"]):
        rows.setdefault(who, []).append((None, None) if seconds == float("inf") else (round(seconds, 2), whole and round(whole, 2)))
    assert CHAPTER["SECONDS_TO"] == rows
    example = rows.pop("keras.io's example")
    factor = min(example[i][0] / max(row[i][0] for row in rows.values()) for i in (0, 1))
    assert f"keras.io's example, another network otherwise set, a factor of {factor:.0f}" in TEXT and example[2] == (None, None)
    fast, jax = zip(*(row for who, row in rows.items() if who != "JAX"), strict=True), rows["JAX"]
    assert all(max(t for t, _ in row) < 4 / 3 * min(t for t, _ in row) for row in fast)
    assert f"Between libraries lies less than a third (JAX's last: {jax[2][0] / min(row[2][0] for row in rows.values()):.0f} times)" in TEXT


def test_the_profile_and_the_changes_are_what_the_script_wrote():
    both = [LIBRARIES["profile"][kind] for kind in ("the loop", "the loop, tuned")]
    profile = dict(CHAPTER["PROFILE_MS"])
    assert profile.pop("the whole step") == tuple(kind["step"] for kind in both)
    assert profile == {group: tuple(kind["groups"][group] for kind in both) for group in both[0]["groups"]}
    rows, changes = LIBRARIES["changes"]["ms"], CHAPTER["CHANGES"]
    names = list(rows)
    against = {name: names[i] if i < 3 else names[3] for i, name in enumerate(names[1:])}
    assert changes == {name: round(by_rounds(rows, name, other), 2) for name, other in against.items()}
    assert f"Together, a step takes {by_rounds(rows, names[3], names[0]):.2f} of its time" in TEXT
    tuned, own = both[1], CHAPTER["PRODUCTS"]["TensorFlow"]
    products = sum(ms for group, ms in tuned["groups"].items() if group.startswith(("conv", "dense")))
    gap = tuned["step"] - sum(tuned["groups"].values())
    work = frameworks.MFLOP * frameworks.BATCH
    assert f"take {products:.1f} milliseconds: {work / products:.0f} billion operations a second" in TEXT and work / products > own
    conv2 = 2 * 128 * 14 * 14 * 25 * 32 * 64 / tuned["operations"]["Conv2D_1:_MklNativeConv2D"] / 1e6
    assert f"(conv2's way forward ran at {conv2:.0f}:" in TEXT and conv2 > PEAK
    assert f"and the rest take {sum(tuned['groups'].values()) - products:.1f}; and for {gap:.1f} milliseconds no operation runs" in TEXT
    assert f"Without those a step would be at {100 * work / (tuned['step'] - gap) / own:.0f} % of that product" in TEXT
    shares = {kind: work / statistics.median(LIBRARIES["steps"]["ms"]["TensorFlow"][kind]) / own for kind in ("the loop, tuned", "Keras fit")}
    assert f"with {100 * shares['the loop, tuned']:.0f} % of TensorFlow's own best product the tuned loop misses it, Keras' `fit` with {100 * shares['Keras fit']:.0f} %" in TEXT
    assert max(shares.values()) < 0.65 and f"PyTorch's product, which is {PEAK / own:.2f} times as fast" in TEXT


def test_the_gpu_is_what_was_stored():
    found = LIBRARIES["gpu"]
    torch, jax = ({kind: statistics.median(row) for kind, row in found[name]["steps"]["ms"].items()} for name in ("torch", "jax"))
    share = [frameworks.MFLOP * frameworks.BATCH / min(torch["NCHW"], torch["channels_last"]) / found["torch"]["steps"]["peak"],
             frameworks.MFLOP * frameworks.BATCH / min(jax.values()) / found["jax"]["steps"]["peak"]]
    assert (f"a step took PyTorch {torch['channels_last']:.1f} milliseconds, {torch['channels_last, compiled']:.1f} compiled, and JAX {min(jax.values()):.2f}. "
            f"That is {100 * share[0]:.0f} % and {100 * share[1]:.0f} % of the same library's own large product") in TEXT
    seconds = {(name, mark): statistics.median(row["seconds"] for row in found[name]["accuracy"][mark]) for name in ("torch", "jax") for mark in ("98.18 %", "99 %")}
    assert "98.18 % took {:.2f} and {:.2f} seconds of training, 99 % {:.1f} and {:.2f}.".format(*(seconds[name, mark] for mark in ("98.18 %", "99 %") for name in ("torch", "jax"))) in TEXT
    assert all("H100" in found[name]["about"]["device"] and found[name]["about"]["cores"] == 16 for name in ("torch", "jax"))


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


def test_the_stop_watch_itself_is_a_right_answer():
    def in_one_line(a, b, clock, rounds):
        return times(take_turns({"a": a, "b": b}, rounds, clock), "a", "b")
    assert CHAPTER["check_how_many_times"](in_one_line).startswith("Correct")


def test_right_answers_in_other_types_are_right():
    for answer in (np.int64(9), np.int64(37)), (9.0, 37.0), [9, 37]:
        assert CHAPTER["check_crossings"](answer).startswith("Correct")
    for answer in "A, C, B, D", "acbd", list("ACBD"):
        assert CHAPTER["check_intensity_order"](answer).startswith("Correct")


def test_waited_waits_for_each_way(monkeypatch):
    done = []
    monkeypatch.setattr(tf.test.experimental, "sync_devices", lambda: done.append("waited"))
    ways = CHAPTER["waited"]({name: lambda name=name: done.append(name) for name in "ab"})
    assert [way() for way in ways.values()] == [None, None] and done == ["a", "waited", "b", "waited"]


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
    y = CHAPTER["layer_call"](name, images)().numpy()
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
    parts["step"]()
    first = np.concatenate([(v.numpy() - w).ravel() for v, w in zip(model.trainable_variables, before)])
    assert 0.00099 < np.abs(first).max() < 0.00101  # one step of Adam at 0.001, not two
    for _ in range(30):
        parts["step"]()
    assert parts["forward"]() < loss


def test_a_step_drops_numbers_as_training_does():
    parts = CHAPTER["parts_of_step"](CHAPTER["sequential_network"](), tf.ones((4, 28, 28, 1)), tf.range(4))
    assert parts["forward"]() != parts["forward"]()


def test_each_core_gets_its_neighbours(monkeypatch):
    monkeypatch.setattr(CHAPTER["os"], "cpu_count", lambda: 2)
    started = []

    class Nobody:
        def __init__(self, command):
            started.append(command)

        def kill(self):
            pass

        wait = kill

    monkeypatch.setattr(subprocess, "Popen", Nobody)
    with neighbours(3):
        assert len(started) == 6
