"""checkup.py: flags every planted bug, fails no sound network, leaves everything as it was, and says what it cannot check."""

import ast
import importlib.util
import random
import re
import shutil
import subprocess
import sys

import keras
import numpy as np
import patients
import pytest
import tensorflow as tf
from conftest import ROOT
from patients import L, clouds, convolutional, dense, digits, points

PATH = ROOT / "book" / "_static" / "checkup.py"
SPEC = importlib.util.spec_from_file_location("checkup", PATH)
checkup = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(checkup)
check, CHECKS = checkup.check, checkup.CHECKS
CHEAP = ["scale", "match", "leakage", "labels", "pairs"]


@pytest.fixture(autouse=True)
def _clear():
    yield
    keras.backend.clear_session()


def halves(data):
    x, y, u, v = data()
    return (x, y), (u, v)


# --- what it finds, and what it leaves alone --------------------------------------------------------------------------------

@pytest.mark.parametrize("name", patients.PATIENTS)
def test_a_planted_bug_is_flagged(name):
    names, build, data = patients.PATIENTS[name]
    train, test = halves(data)
    report = check(build, train, test, only=names)
    assert {n: report[n].status for n in names if report[n].status not in ("warn", "fail")} == {}, report
    if name in ("bytes", "dead ReLUs", "two softmax layers", "copies", "sorted downwards", "no activation"):  # they are certain
        assert report[names[0]].status == "fail"
    assert any(patients.REASONS.get(name, "") in result.advice for result in report.values()), report
    assert all(result.where.count("#") == 1 and len(result.advice) > 10 for result in report.values())


@pytest.mark.parametrize("name", patients.SOUND)
def test_a_sound_network_does_not_fail(name):
    build, data, may_warn = patients.SOUND[name]
    train, test = halves(data)
    report = check(build, train, test, skip=["learning", "update size", "one batch", "blank input"] if name in patients.LEARN_ALIKE else [])
    assert report.ok, report
    assert {r.name for r in report.values() if r.status == "warn"} <= set(may_warn.split(", ")), report
    assert not [r for r in report.values() if r.status == "skip" and "cannot run" in r.advice], report


def test_too_few_rows_and_several_labels_are_skipped_and_say_so():
    few, several = patients.SOUND["8 rows"], patients.SOUND["several labels"]
    assert "too few rows" in check(few[0], *halves(few[1]), only="pairs")["pairs"].advice
    assert "nothing to tell" in check(several[0], *halves(several[1]), only="labels")["labels"].advice


def test_every_check_has_patients():
    assert {name for names, *_ in patients.PATIENTS.values() for name in names} == set(CHECKS)


# --- the report ---------------------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def report():
    return check(lambda: points(L.Dense(16, activation="relu"), L.Dense(4), optimizer=keras.optimizers.Adam(0.01)), *halves(clouds))


def test_a_report_is_a_table_and_data(report):
    assert report.ok and [r.name for r in report.values()] == list(CHECKS) and len(report) == 12
    result = report["one batch"]
    assert result.status == "pass" and result.value < result.limit == checkup.LIMITS["one batch"] == 0.1
    assert result.where == "notebooks/16_debugging_the_classics.html#check-that-it-learns"
    lines = str(report).splitlines()
    assert lines[-1] == "12 pass, 0 warn, 0 fail, 0 skip" and len(lines) == 13
    assert all(line.startswith(f"pass  {name}") for line, name in zip(lines, CHECKS))
    with pytest.raises(KeyError):
        report["nothing"]


def test_a_failing_report_says_where_to_read():
    (x, y), (u, v) = halves(digits)
    report = check(dense, (255 * x, y), (255 * u, v), only=["scale", "match"])
    assert not report.ok and report["scale"].status == "fail" and report["scale"].value == 255 and report["scale"].limit == 30
    assert "never scaled? (limit 30.0)\n" in str(report) and "read notebooks/16_debugging_the_classics.html#check-the-data" in str(report)
    assert str(report).endswith("1 pass, 0 warn, 1 fail, 0 skip")


def test_the_same_report_twice_and_no_trace_left():
    (x, y), test = halves(clouds)

    def build():
        return points(L.Dense(8, activation="relu"), L.Dropout(0.2), L.Dense(4))
    random.seed(5)
    np.random.seed(5)
    before = random.random(), np.random.random()
    random.seed(5)
    np.random.seed(5)
    kept = x.copy(), y.copy()
    one = check(build, (x, y), test, seed=3)
    assert (random.random(), np.random.random()) == before
    assert str(one) == str(check(build, (x, y), test, seed=3))
    assert np.array_equal(x, kept[0]) and np.array_equal(y, kept[1])


def test_the_random_numbers_of_tensorflow_go_on_as_they_would():
    tf.random.set_seed(5)
    expected = tf.random.uniform([3]).numpy()
    tf.random.set_seed(5)
    check(lambda: points(L.Dense(8, activation="relu"), L.Dropout(0.2), L.Dense(4)), halves(clouds)[0], only=["calm", "learning"])
    assert np.array_equal(tf.random.uniform([3]).numpy(), expected)


def test_only_skip_budget_and_no_test_set():
    train, test = halves(clouds)

    def build():
        return points(L.Dense(4))
    assert [r.name for r in check(build, train, test, only="labels").values()] == ["labels"]
    assert [r.name for r in check(build, train, test, only=["pairs", "scale"], skip=["pairs"]).values()] == ["scale"]
    alone = check(build, train, only=["match", "leakage", "pairs", "labels"])
    assert [r.status for r in alone.values()] == ["skip", "skip", "pass", "pass"][:2] + [alone["labels"].status, alone["pairs"].status] and alone.ok
    late = check(build, train, test, budget=0)
    assert {r.status for r in late.values()} == {"skip"} and "budget of 0 s" in late["scale"].advice and late.ok


def test_a_limit_can_be_moved(monkeypatch):
    (x, y), _ = halves(digits)
    monkeypatch.setitem(checkup.LIMITS, "scale", 300)
    assert check(dense, (255 * x, y), only="scale")["scale"].status == "pass"


def test_a_check_that_crashes_is_skipped_not_passed(monkeypatch):
    def crash(case, limit):
        raise RuntimeError("strange network\nmore")
        yield
    monkeypatch.setitem(CHECKS, "calm", crash)
    result = check(dense, halves(digits)[0], only="calm")["calm"]
    assert (result.status, result.advice) == ("skip", "the check cannot run: RuntimeError('strange network\\nmore')")


class Stubborn(keras.Model):
    """It cannot be run in train mode."""

    def __init__(self):
        super().__init__()
        self.last = L.Dense(4)
        self.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))

    def call(self, x, training=False):
        if training:
            raise RuntimeError("no training")
        return self.last(x)


def test_a_network_that_cannot_train_is_no_traceback():
    report = check(Stubborn, halves(clouds)[0], only=["scale", "calm", "learning", "one batch", "blank input"])
    assert {r.status for r in report.values()} == {"skip"} and "no training" in report["learning"].advice


# --- a model in place of build ------------------------------------------------------------------------------------------------

def test_a_model_is_copied_and_stays_as_it_is():
    train, test = halves(digits)
    model = convolutional(metrics=["accuracy"])
    model.fit(*train, verbose=0, batch_size=200)
    variables = [*model.variables, *model.optimizer.variables]
    before, call = [v.numpy() for v in variables], keras.Layer.__call__
    report = check(model, train, test, only=["scale", "start", "learning"])
    assert report.ok and keras.Layer.__call__ is call
    assert all(np.array_equal(v.numpy(), old) for v, old in zip(variables, before, strict=True))


def test_a_build_that_returns_the_same_network_leaves_it_as_it_was():
    model = points(L.Dense(4))
    before = [v.numpy() for v in model.variables]
    check(lambda: model, halves(clouds)[0], only=["learning", "one batch"])
    assert all(np.array_equal(v.numpy(), old) for v, old in zip(model.variables, before, strict=True))


def test_a_subclassed_model_gets_its_weights_back_also_after_an_error(monkeypatch):
    model = patients.compiled(patients.Own(L.Dense(4), L.Dense(10)))
    model(digits()[0][:2])
    before = [v.numpy() for v in model.variables]

    def leave(case, limit):
        case.model.train_on_batch(case.x[:16], case.y[:16])
        raise KeyboardInterrupt
        yield
    monkeypatch.setitem(CHECKS, "calm", leave)
    with pytest.raises(KeyboardInterrupt):
        check(model, halves(digits)[0], only="calm")
    assert all(np.array_equal(v.numpy(), old) for v, old in zip(model.variables, before, strict=True))


# --- what cannot be checked -----------------------------------------------------------------------------------------------------

X, Y = np.zeros((6, 12), np.float32) + np.arange(6)[:, None], np.arange(6) % 4
BAD = [
    (dict(only="colour"), ValueError, r"no check is called \['colour'\], only \['scale'"),
    (dict(skip=["pears", "calm"]), ValueError, "pears"),
    (dict(train=tf.data.Dataset.from_tensors((X, Y))), TypeError, "Dataset"),
    (dict(train=(X.tolist(), Y)), TypeError, r"\['list', 'ndarray'\]"),
    (dict(train=({"a": X}, Y)), TypeError, "dict"),
    (dict(train=X), TypeError, "pair"),
    (dict(train=(X, Y[:5])), ValueError, r"\(6, 12\) of float64, labels \(5,\)"),
    (dict(train=(X[:0], Y[:0])), ValueError, r"\(0, 12\)"),
    (dict(train=(X.astype(object), Y)), ValueError, "object"),
    (dict(train=(X, np.array(list("abcdef")))), ValueError, "<U1"),
    (dict(train=(X, np.where(Y == 1, np.nan, Y))), ValueError, "finite"),
    (dict(train=(X, Y / 3)), ValueError, r"\(6,\), are no whole numbers.* regression\?"),
    (dict(train=(X, np.full((6, 4), 2.0))), ValueError, r"\(6, 4\), are .* nor rows of shares"),
    (dict(train=(X, np.eye(5)[Y])), ValueError, "4 outputs"),
    (dict(train=(X[:, :5], Y)), ValueError, r"no row of scores for \(5,\)"),
    (dict(train=(X[:, 0], Y)), ValueError, r"inputs \(6,\)"),
    (dict(test=(X, Y[:1])), ValueError, "^test"),
    (dict(build=lambda: None), ValueError, "got None"),
    (dict(build=7), ValueError, "got 7"),
    (dict(build=lambda: keras.Sequential([keras.Input((12,)), L.Dense(4)])), ValueError, "compiled with one loss"),
    (dict(build=keras.Sequential([keras.Input((12,)), L.Dense(4)])), ValueError, "compiled with one loss"),
    (dict(build=lambda: points(L.Reshape((12, 1)), L.Conv1D(4, 3))), ValueError, "row of scores"),
]


@pytest.mark.parametrize("n", range(len(BAD)))
def test_what_cannot_be_checked_gets_one_clear_sentence(n):
    arguments, kind, words = BAD[n]
    arguments = {"build": lambda: points(L.Dense(4)), "train": (X, Y), **arguments}
    with pytest.raises(kind, match=words) as caught:
        check(arguments.pop("build"), **arguments)
    assert "\n" not in str(caught.value)


def test_two_outputs_are_refused():
    def build():
        inputs = keras.Input((12,))
        return patients.compiled(keras.Model(inputs, [L.Dense(4)(inputs), L.Dense(4)(inputs)]))
    with pytest.raises(ValueError, match="no row of scores"):
        check(build, (X, Y))


# --- the batch as the network meets it ----------------------------------------------------------------------------------------

def test_show_batch_draws_what_the_first_kernel_meets():
    (x, y), _ = halves(digits)
    text = checkup.show_batch(dense, (x, y))
    assert text.startswith("from 0 (' ') to 1 ('@')\n") and len(re.findall(r"label \d", text)) == 16
    assert text.count("@") > 20 and max(map(len, text.splitlines())) <= 60
    scaled = checkup.show_batch(lambda: patients.stack(L.Rescaling(2.0, -1), L.Flatten(), L.Dense(10)), (x, y))
    assert scaled.startswith("from -1 (' ') to 1 ('@')")
    assert len(checkup.show_batch(lambda: points(L.Dense(4)), halves(clouds)[0]).splitlines()) == 33


# --- the file, and its page -----------------------------------------------------------------------------------------------------

def test_it_runs_alone_in_an_empty_folder(tmp_path):
    shutil.copy(PATH, tmp_path)
    program = """if True:
        import keras, numpy as np
        from checkup import check
        def build():
            model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
            model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
            return model
        x = np.random.default_rng(0).normal(size=(90, 4)).astype("float32")
        report = check(build, (x, (x[:, 0] > 0).astype(int)), only=["scale", "labels"])
        assert report.ok
        print(report)"""
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith("pass  scale "), done.stderr


def test_it_is_short_and_imports_little():
    text = PATH.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 450 and max(map(len, text.splitlines())) <= 100
    modules = {name.name.split(".")[0] for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import) for name in node.names} | {
        node.module.split(".")[0] for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)}
    assert modules - set(sys.stdlib_module_names) == {"keras", "numpy"}


def test_the_page_has_the_checks_limits_and_sections_of_the_module():
    page = (ROOT / "book" / "checkup.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in page.splitlines() if line.startswith("|")][2:]
    assert [row[0].strip("` ") for row in rows] == list(CHECKS)
    for row in rows:
        name = row[0].strip("` ")
        assert len(row) == 5 and all(row)
        assert float(re.match(r"[\d.]+", row[2])[0]) == checkup.LIMITS[name], name
        assert f"16_debugging_the_classics.ipynb#check-{checkup.SECTIONS[name]})" in row[4], name
