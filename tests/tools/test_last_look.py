"""What trains after a look at the test set is found; to cut, convert, count or draw the test set is no look."""

import ast

import nbformat
import pytest
from conftest import find_notebook

from tools.book.last_look import looks_too_early

LOAD = "(x_all, y_all), (x_test, y_test) = load_mnist()"
FIT, TEST = "model.fit(x, y)", "print(np.mean(model.predict(x_test).argmax(1) == y_test))"
HELPERS = ("def share(model):\n    return np.mean(model.predict(x_test).argmax(1) == y_test)\n"
           "def train(model, x_test, y_test):\n    for _ in range(3):\n        model.train_on_batch(x_test, y_test)\n"
           "def make_step(model):\n    def step(x, y):\n        optimizer.apply(slopes(x, y), model.variables)\n    return step")


def complaints(*cells):
    return [*looks_too_early((index, ast.parse(cell).body) for index, cell in enumerate(cells, 1))]


@pytest.mark.parametrize("cells", [
    [LOAD, FIT, TEST],
    [LOAD, FIT + "\n" + TEST, TEST, "results = model.predict(x_valid)"],
    [LOAD + "\nx_test = prepare(x_test)\nprint(len(x_test), y_test.shape)", "x_seen, y_seen = prepare(x_test[::5]), y_test[::5].astype(np.int32)", FIT, TEST],
    [LOAD, "plt.imshow(x_test[0])\nplt.title(y_test[0])", "close = np.allclose(one(x_test[:9]), other(x_test[:9]))", FIT, TEST],
    [LOAD, "test = tf.data.Dataset.from_tensor_slices((prepare(x_test), y_test))", FIT, "model.evaluate(test)"],
    [LOAD, HELPERS, "train(model, x, y)", "share(model)"],
    ["(images, labels), _ = load_mnist()", "labels = labels[:9]\nprint(labels)", FIT, "print(labels)", FIT],
    [LOAD, TEST, "y_test = labels_of(x_valid)", "print(y_test)"],
    [LOAD, "print(np.bincount(y_test), np.unique(y_test))", FIT, "right = {name: np.mean(model(x_test).argmax(1) == y_test) for name, model in models.items()}\nassert min(right.values()) > 0.9"],
])
def test_who_looks_last_hears_nothing(cells):
    assert complaints(*cells) == []


@pytest.mark.parametrize("cells", [
    [LOAD, TEST, FIT],
    [LOAD, "seen = y_test[:2000].astype(int)", "print(np.mean(answers == seen))", "w = np.linalg.lstsq(f, y)"],
    [LOAD, HELPERS, "share(model)", "train(model, x, y)"],
    [LOAD, HELPERS, "step = make_step(model)", "results = [share(model)]", "step(x, y)"],
    ["_, (new_images, new_labels) = load_mnist()", "model.evaluate(new_images, new_labels)", "best = {rate: build(rate).fit(x, y) for rate in RATES}"],
    ["test = load_mnist()[1]", "model.evaluate(*test)", FIT],
    [LOAD, "scores = evaluate(model, x_test, y_test)", "# @title Solution\n" + FIT],
])
def test_who_trains_after_a_look_is_named(cells):
    found = complaints(*cells)
    assert len(found) == 1 and f"cell {len(cells)}: trains, and cell {len(cells) - 1} has" in found[0], found


@pytest.mark.parametrize("cell", ["model.fit(x, y, validation_data=(x_test, y_test))", "test = x_test, y_test\nmodel.train_on_batch(*test)"])
def test_who_looks_while_training_is_named(cell):
    assert complaints(LOAD, cell) == ["cell 2: looks at the test set while it trains."]


@pytest.mark.parametrize("cells", [
    [LOAD, "best = {}\nfor rate in RATES:\n    model = build(rate)\n    model.fit(x, y)\n    best[rate] = np.mean(model.predict(x_test).argmax(1) == y_test)\nrate = max(best, key=best.get)"],
    [LOAD, HELPERS, "rate = sorted(RATES, key=lambda rate: share(build(rate)))[-1]"],
    ["_, (x_test, y_test) = keras.datasets.mnist.load_data()", "T = min(candidates, key=lambda t: cost(logits / t, y_test))"],
    [LOAD, "rights = [np.mean(model(x_test).argmax(1) == y_test) for model in models]", "model = models[np.argmax(rights)]"],
])
def test_who_chooses_by_the_test_set_is_named(cells):
    assert f"cell {len(cells)}: chooses by the test set. Choose on held-back images." in complaints(*cells)


def test_a_planted_training_at_the_end_of_a_real_chapter_is_found():
    cells = [cell.source for cell in nbformat.read(find_notebook("01"), as_version=4).cells if cell.cell_type == "code"]
    assert complaints(*cells) == []
    assert complaints(*cells, "network.fit(x_train, y_train)")[0].startswith(f"cell {len(cells) + 1}: trains, and cell ")
