"""Chapter 19: the stored tables and their sentences, the law of the buffer, the changes, records by hand."""

import json
import time

import numpy as np
import pytest
import tensorflow as tf
from conftest import definitions, examples
from hypothesis import given
from hypothesis import strategies as st

from tools.book.files import ROOT, find_notebook
from tools.make.data import TRAINING, load_mnist
from tools.make.feeding import BUFFERS, WAYS, feed

CHAPTER = definitions("19")
CHANGES, items, record, crc32c = (CHAPTER[n] for n in ("CHANGES", "items", "record", "crc32c"))
STORED = json.loads((ROOT / "data" / "feeding.json").read_text())
TEXT = "".join(cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
               for cell in json.loads(find_notebook("19").read_text())["cells"])


# --- what the script wrote -----------------------------------------------------------------------------------------

def stored(table, name, what="accuracy"):
    """Return {rate: what the three seeds found} of a row of a stored table; `what` is a key or a function."""
    find = what if callable(what) else lambda run: run[what]
    return {rate: tuple(find(STORED[table]["runs"][f"{name}, rate {rate:g}, seed {seed}"]) for seed in range(3))
            for rate in STORED[table]["rates"]}


def best(table, name, what="accuracy"):
    row = stored(table, name, what)
    return max(row, key=lambda rate: np.mean(row[rate]))


def share(true, read):
    """Return a function of a run: the share of images of class `true` that are read as `read`."""
    return lambda run: round(run["confusions"][true][read] / sum(run["confusions"][true]), 4)


def mean_recall(classes):
    return lambda run: round(float(np.mean([run["confusions"][c][c] / sum(run["confusions"][c]) for c in classes])), 4)


def mean_precision(classes):
    def find(run):
        counts = np.array(run["confusions"])
        return round(float(np.mean([counts[c, c] / counts[:, c].sum() for c in classes])), 4)
    return find


RARE, OTHERS = (4, 9), (0, 1, 2, 3, 5, 6, 7, 8)


def test_every_run_is_stored_and_adds_up():
    names = {"buffers": BUFFERS, "changes": list(CHANGES), "rare": WAYS}
    assert STORED.keys() == names.keys()
    counts = np.bincount(load_mnist()[0][1][55_000:])
    for table, about in STORED.items():
        assert about["judge"] == "validation" and about["seeds"] == [0, 1, 2]
        assert about["runs"].keys() == {f"{name}, rate {rate:g}, seed {seed}" for name in names[table] for rate in about["rates"] for seed in range(3)}
        for run in about["runs"].values():
            for found in (run, run.get("adjusted", run)):
                table_ = np.array(found["confusions"])
                assert (table_.sum(axis=1) == counts).all() and found["accuracy"] == round(np.trace(table_) / 5000, 4)


def test_the_buffers_are_what_the_script_wrote():
    assert [str(B) for B in CHAPTER["BUFFERS"]] == BUFFERS and CHAPTER["RATES"] == STORED["buffers"]["rates"]
    for B, (rate, right) in CHAPTER["BUFFERS"].items():
        assert rate == best("buffers", B) and right == stored("buffers", B)[rate]


def test_the_notebook_trains_each_buffer_at_its_best_rate():
    assert f"[(1000, {best('buffers', 1000)}), (N, {best('buffers', 10_000)})]" in TEXT
    for B in (1000, 10_000):  # and not at an end of the sweep
        assert best("buffers", B) in STORED["buffers"]["rates"][1:-1]


def test_the_changes_are_what_the_script_wrote():
    for name, (rate, right, nines) in CHAPTER["CHANGED"].items():
        assert rate == best("changes", name) and right == stored("changes", name)[rate]
        assert nines == stored("changes", name, share(6, 9))[rate]


def of_way(name):
    """Return (row of the store, what to take of a run) of a row of the table of rare classes."""
    adjusted = name == "logits adjusted"
    row = {"class weights": "weights", "logits adjusted": "nothing"}.get(name, name)
    return row, (lambda run: run["adjusted"]) if adjusted else (lambda run: run)


@pytest.mark.parametrize("name", ["nothing", "class weights", "oversampling", "logits adjusted"])
def test_the_rare_classes_are_what_the_script_wrote(name):
    row, part = of_way(name)
    rate, *rows = CHAPTER["WITH_RARE"][name]
    assert rate == best("rare", row, lambda run: part(run)["accuracy"])
    for found, what in zip(rows, [lambda run: run["accuracy"], mean_recall(RARE), mean_recall(OTHERS), mean_precision(RARE)], strict=True):
        assert found == stored("rare", row, lambda run, what=what: what(part(run)))[rate]


def test_the_sentences_have_the_stored_numbers():
    buffers = {B: np.mean(right) for B, (_, right) in CHAPTER["BUFFERS"].items()}
    low, high = min(CHAPTER["BUFFERS"][1000][1]), max(CHAPTER["BUFFERS"][1000][1])
    assert (f"A buffer of 1,000 reads {buffers[1000]:.3f} of the digits ({low:.2f} to {high:.2f}), one of 10,000 reads {buffers[10_000]:.3f} "
            "(mean of three seeds, each at the best of six rates)") in TEXT
    assert f"a buffer of a tenth cost {100 * (buffers[10_000] - buffers[1000]):.0f} points" in TEXT
    right = {name: np.mean(row[1]) for name, row in CHAPTER["CHANGED"].items()}
    points = {name: 100 * (value - right["as they are"]) for name, value in right.items()}
    assert ("Moving brings {:.1f} points (mean of three seeds); swapping left and right costs {:.1f}, upside down (flipped top to bottom) {:.1f}, "
            "quarter turns {:.1f}.").format(points["moved by up to 2"], *(-points[name] for name in (
                "left and right swapped", "upside down", "quarter turns"))) in TEXT
    nines = {name: 100 * np.mean(row[2]) for name, row in CHAPTER["CHANGED"].items()}
    assert f"after quarter turns {nines['quarter turns']:.0f} % of the sixes are read as 9; without them, none" in TEXT
    assert nines["as they are"] == 0
    recall = {name: np.mean(row[2]) for name, row in CHAPTER["WITH_RARE"].items()}
    assert "the recall of 4 and 9 climbs from {:.2f} to {:.2f} with weights, {:.2f} with oversampling and {:.2f} with logits adjusted".format(
        *recall.values()) in TEXT
    precision = {name: np.mean(row[4]) for name, row in CHAPTER["WITH_RARE"].items()}
    assert f"The last pays with precision, {precision['logits adjusted']:.2f} in place of {precision['nothing']:.2f}." in TEXT


def test_what_the_sentences_claim_holds_in_the_store():
    smallest = stored("buffers", 1000)  # at no rate, on no seed, is a tenth of the data near the whole
    assert max(map(max, smallest.values())) < min(stored("buffers", 10_000)[best("buffers", 10_000)]) - 0.4
    for name in CHANGES:  # none is best at an end of its sweep
        assert best("changes", name) in STORED["changes"]["rates"][1:-1]


def test_a_small_buffer_hardly_reads_some_digits_and_not_always_the_same():
    weakest = {}
    for seed in range(3):
        for B, rate in ((1000, 0.0003), (10_000, 0.01)):
            table = np.array(STORED["buffers"]["runs"][f"{B}, rate {rate:g}, seed {seed}"]["confusions"])
            weakest[B, seed] = np.diag(table) / table.sum(axis=1)
    assert all(min(weakest[1000, seed]) < 0.01 and min(weakest[10_000, seed]) > 0.8 for seed in range(3))
    assert len({tuple(np.flatnonzero(weakest[1000, seed] < 0.1)) for seed in range(3)}) == 3


# --- what the script feeds, and what the helpers measure -------------------------------------------------------------

SORTED = np.repeat(np.arange(10), 1200)  # enough labels for a rare set, in an order that tells the first from the last


def test_the_rare_set_holds_the_first_images_of_each_class():
    chosen = CHAPTER["with_rare"](SORTED)
    assert np.array_equal(np.bincount(SORTED[chosen]), [20 if c in RARE else 1000 for c in range(10)])
    assert np.array_equal(chosen, np.concatenate([1200 * c + np.arange(20 if c in RARE else 1000) for c in range(10)]))


def test_the_script_feeds_sorted_images_through_the_buffer():
    labels = np.random.default_rng(0).integers(0, 10, 12_000).astype(np.int32)
    data, epochs, more = feed("buffers", "100", 3, CHAPTER, np.arange(12_000), labels)
    places, fed = (np.concatenate(part) for part in zip(*data.as_numpy_iterator()))
    assert epochs == 2 and more == {} and data.cardinality() == 100
    assert np.array_equal(np.sort(places), np.arange(10_000)) and np.array_equal(fed, labels[places])
    rank = np.argsort(np.argsort(labels[:10_000], kind="stable"))[places]
    assert (rank <= np.arange(10_000) + 99).all() and (rank != np.arange(10_000)).any()


@pytest.mark.parametrize("name", WAYS)
def test_the_script_feeds_the_rare_alike(name):
    labels = np.concatenate([SORTED, np.zeros(TRAINING - len(SORTED), int)]).astype(np.int32)
    data, epochs, more = feed("rare", name, 0, CHAPTER, np.arange(TRAINING), labels)
    assert epochs == 1 and more["steps_per_epoch"] == 6 * 8040 // 100
    counts = np.bincount(np.concatenate([b for _, b in data.take(100).as_numpy_iterator()]), minlength=10) / 10_000
    wanted = 0.1 if name == "oversampling" else 20 / 8040
    assert np.abs(counts[list(RARE)] - wanted).max() < 0.002 + 0.02 * (name == "oversampling")
    assert ("class_weight" in more) == (name == "weights")
    if name == "weights":
        assert more["class_weight"][4] == pytest.approx(804 / 20) and more["class_weight"][0] == pytest.approx(0.804)


def test_the_script_changes_the_chosen_images():
    x = np.random.default_rng(0).random((TRAINING, 28, 28, 1), np.float32)
    data, epochs, _ = feed("changes", "upside down", 1, CHAPTER, x, np.arange(TRAINING, dtype=np.int32))
    images, places = (np.concatenate(part) for part in zip(*data.as_numpy_iterator()))
    assert epochs == 30 and len(set(places)) == 1000
    flipped = np.array([np.array_equal(image, x[i, ::-1]) for image, i in zip(images, places)])
    kept = np.array([np.array_equal(image, x[i]) for image, i in zip(images, places)])
    assert (flipped ^ kept).all() and 400 < flipped.sum() < 600


def test_seconds_of_adds_no_prefetch():
    made, used = [], []
    make, use = (CHAPTER["logged"](lambda item: time.sleep(0.02), log) for log in (made, used))
    data = tf.data.Dataset.range(6).map(lambda item: tf.numpy_function(make, [item], tf.int64))
    _, found = CHAPTER["seconds_of"](data, use=use)
    assert found == [*range(6)] and len(used) == 12
    assert not any(a < d and c < b for a, b in made for c, d in used)


def test_the_best_pass_is_told():
    passes = iter([(9, 9, 9), (5, 5, 5), (7, 7, 7)])
    names = {**CHAPTER, "clocked_pass": lambda *about: next(passes)}
    timed = CHAPTER["timed"]
    assert type(timed)(timed.__code__, {**timed.__globals__, **names}, None, timed.__defaults__)(lambda item: item) == (5, 5, 5)


# --- the buffer ----------------------------------------------------------------------------------------------------

@examples(40)
@given(n=st.integers(1, 60), B=st.integers(1, 80), seed=st.integers(0, 10**6))
def test_no_item_comes_more_than_the_buffer_early(n, B, seed):
    order = items(tf.data.Dataset.range(n).shuffle(B, seed=seed))
    assert sorted(order) == [*range(n)]
    assert all(item <= j + B - 1 for j, item in enumerate(order))


def test_each_early_place_is_reached_and_lateness_has_no_bound():
    orders = [items(tf.data.Dataset.range(6).shuffle(3, seed=seed)) for seed in range(100)]
    assert {max(item - j for j, item in enumerate(order)) for order in orders} >= {2}
    assert any(order[-1] == 0 for order in orders)


@examples(30)
@given(B=st.integers(1, 30), n=st.integers(2, 60), seed=st.integers(0, 10**6))
def test_the_exercise_s_box_keeps_the_law_too(B, n, seed):
    solution = {}
    source = next(cell for cell in json.loads(find_notebook("19").read_text())["cells"]
                  if "def solved_through_buffer" in "".join(cell["source"]))
    exec("".join(source["source"]).split("\n\n\nassert")[0], solution)
    order = solution["solved_through_buffer"]([*range(n)], B, np.random.default_rng(seed))
    assert sorted(order) == [*range(n)] and all(item <= j + B - 1 for j, item in enumerate(order))


# --- changes -------------------------------------------------------------------------------------------------------

def test_the_changes_change_what_they_say():
    image = np.arange(28 * 28, dtype=np.float32).reshape(1, 28, 28, 1)
    versions = {name: [np.asarray(v)[0, ..., 0] for v in change(tf.constant(image))] for name, change in CHANGES.items()}
    assert {name: len(found) for name, found in versions.items()} == {
        "as they are": 1, "moved by up to 2": 25, "left and right swapped": 2, "upside down": 2, "quarter turns": 4}
    a = image[0, ..., 0]
    assert np.array_equal(versions["left and right swapped"][1], np.fliplr(a)) and np.array_equal(versions["upside down"][1], np.flipud(a))
    assert all(np.array_equal(v, np.rot90(a, k)) for k, v in enumerate(versions["quarter turns"]))
    wide = np.pad(a, 2)
    assert all(np.array_equal(v, wide[i:i + 28, j:j + 28])
               for v, (i, j) in zip(versions["moved by up to 2"], np.ndindex(5, 5), strict=True))


def test_one_of_draws_for_each_image_alone_and_evenly():
    tf.random.set_seed(0)
    x = tf.zeros((4000, 1, 1, 1))
    found = CHAPTER["one_of"]([x, x + 1, x + 2, x + 3]).numpy().ravel()
    assert np.abs(np.bincount(found.astype(int), minlength=4) / 4000 - 0.25).max() < 0.04


# --- records -------------------------------------------------------------------------------------------------------

@examples(20)
@given(records=st.lists(st.binary(max_size=40), max_size=5))
def test_records_by_hand_are_tensorflow_s(records, tmp_path_factory):
    path = tmp_path_factory.mktemp("records") / "some"
    with tf.io.TFRecordWriter(str(path)) as writer:
        for data in records:
            writer.write(data)
    assert path.read_bytes() == b"".join(map(record, records))
    assert [data.numpy() for data in tf.data.TFRecordDataset(str(path))] == records


def test_checksums_of_the_standard():
    # RFC 3720, B.4
    assert [crc32c(data) for data in (bytes(32), b"\xff" * 32, bytes(range(32)))] == [0x8A9136AA, 0x62A8AB43, 0x46DD794E]
