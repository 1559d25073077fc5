"""MNIST: the file is the official one, its card tells the truth, and the notebooks' loader refuses another."""

import hashlib

import numpy as np
import pytest
from conftest import ROOT, definitions

from tools.book.files import MNIST
from tools.book.lint import lint_mnist
from tools.make.data import as_input, load_mnist

# The arrays of data/mnist.npz, written as IDX files, have these SHA-256 digests: the official files'.
IDX_SHA256 = {
    "x_train": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "y_train": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "x_test": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "y_test": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


def test_mnist_has_the_official_digests():
    with np.load(MNIST, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    assert arrays.keys() == IDX_SHA256.keys()
    for name, array in arrays.items():
        header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
        assert array.dtype == np.uint8 and hashlib.sha256(header + array.tobytes()).hexdigest() == IDX_SHA256[name]


def test_the_data_card_tells_the_truth():
    card = " ".join((ROOT / "book" / "data.md").read_text().split())
    with np.load(ROOT / "data" / "mnist.npz") as file:
        x, y, x_test = file["x_train"], file["y_train"], file["x_test"]
    ink = x > 0
    sides = np.stack([ink.any(axis=axis).shape[1] - ink.any(axis=axis).argmax(1) - ink.any(axis=axis)[:, ::-1].argmax(1) for axis in (1, 2)])
    longer, (twenties, nineteens) = sides.max(axis=0), np.bincount(sides.max(axis=0))[[20, 19]]
    assert set(longer) == {19, 20} and f"20 pixels in {twenties:,} of the 60,000 training images, and 19 in the other {nineteens}" in card
    mass, places = x.reshape(-1, 784).sum(axis=1), np.arange(28)
    centres = np.stack([x.sum(axis=2) @ places / mass, x.sum(axis=1) @ places / mass])
    assert f"between {np.floor(centres.min() * 10) / 10} and {np.ceil(centres.max() * 10) / 10} on both axes" in card
    assert f"{np.mean(x == 0):.0%}".replace("%", " %") + " of all training pixels are 0" in card
    assert f"The mean is {x.mean() / 255:.4f} and the standard deviation {x.std() / 255:.4f}" in card
    assert f"{np.sum(y == 1):,} ones and {np.sum(y == 5):,} fives" in card
    assert len(x_test) == 10_000 and all(digest in card for digest in IDX_SHA256.values())


@pytest.mark.parametrize("content, message", [
    (None, "data/mnist.npz is missing. Restore it with `git checkout"),
    (b"PK" * 1000, "data/mnist.npz is damaged, or another file. Restore it"),
    (b"version https://git-lfs.github.com/spec/v1\noid sha256:06af5dfe\nsize 11490519\n", "a pointer of Git LFS.*`git lfs pull`"),
])
def test_a_missing_damaged_or_unfetched_mnist_is_named(tmp_path, content, message):
    path = tmp_path / "mnist.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(AssertionError, match=message):
        assert list(lint_mnist(path)) == []
    assert list(lint_mnist(MNIST)) == []


def test_the_tools_loader_gives_bytes_and_what_a_network_takes():
    (x, y), (x_test, y_test) = load_mnist()
    assert x.shape == (60000, 28, 28) and x_test.shape == (10000, 28, 28) and len(y) == 60000 and len(y_test) == 10000
    some = as_input(x[:2])
    assert some.shape == (2, 28, 28, 1) and some.dtype == np.float32 and some.max() == 1


def save(path, **arrays):
    np.savez(path, **arrays)
    return path


def zeros(**changed):
    arrays = {"x_train": np.zeros((60000, 28, 28), "u1"), "y_train": np.zeros(60000, "u1"),
              "x_test": np.zeros((10000, 28, 28), "u1"), "y_test": np.zeros(10000, "u1")}
    return arrays | changed


def test_the_notebooks_loader_reads_the_clones_file(monkeypatch):
    monkeypatch.chdir(ROOT / "notebooks")
    (x_train, y_train), (x_test, y_test) = definitions("04")["load_mnist"]()
    assert x_train.shape == (60000, 28, 28) and x_train.dtype == np.uint8
    assert x_test.shape == (10000, 28, 28) and list(y_train[:5]) == [5, 0, 4, 1, 9] and len(y_test) == 10000


def test_the_notebooks_loader_refuses_another_file(tmp_path):
    load_mnist = definitions("04")["load_mnist"]
    path = tmp_path / "mnist.npz"
    path.write_bytes((ROOT / "data" / "mnist.npz").read_bytes()[:100_000])
    with pytest.raises(ValueError, match="mnist.npz is damaged or not MNIST"):
        load_mnist(path)
    with pytest.raises(ValueError, match="damaged or not MNIST"):
        load_mnist(save(path, images=np.zeros(3)))
    with pytest.raises(ValueError, match=r"not MNIST: its images are \[\(3, 28, 28\).*Delete it or restore it"):
        load_mnist(save(path, **zeros(x_train=np.zeros((3, 28, 28), "u1"))))


def test_the_notebooks_loader_falls_back_to_keras(tmp_path, monkeypatch):
    """In Colab there is no clone: the arrays come from keras.datasets, here from a stand-in for its server."""
    load_mnist = definitions("04")["load_mnist"]
    monkeypatch.setattr("keras.src.datasets.mnist.get_file", lambda *args, **kwargs: str(ROOT / "data" / "mnist.npz"))
    (x_train, _), _ = load_mnist(tmp_path / "none.npz")
    assert x_train.shape == (60000, 28, 28)

    def offline(*args, **kwargs):
        raise OSError("Name or service not known")
    monkeypatch.setattr("keras.src.datasets.mnist.get_file", offline)
    with pytest.raises(ConnectionError, match=r"none\.npz.*no download.*Name or service not known.*Go online, or put"):
        load_mnist(tmp_path / "none.npz")
