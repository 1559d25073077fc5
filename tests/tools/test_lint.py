"""The files of the book are where they belong, and each thing that can go wrong gets one clear message."""

import re
import shutil
import subprocess
import sys
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest
from conftest import ROOT, definitions, find_notebook
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

import notebooks as tool

sys.path.insert(0, str(ROOT / "book" / "_ext"))
import repository


def test_nothing_to_complain_of():
    assert tool.check_all() == []


def tracked():
    """Return the paths of the text files that git tracks (in an export without git: all but build folders)."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode == 0 and listed.stdout:
        paths = [ROOT / line for line in listed.stdout.splitlines()]
    else:
        skip = {".venv", "_build", ".git", ".pytest_cache", ".hypothesis", "__pycache__", ".ipynb_checkpoints"}
        paths = [path for path in ROOT.rglob("*") if not skip & set(path.relative_to(ROOT).parts)]
    return [path for path in paths if path.is_file() and path.suffix not in {".npz", ".woff2", ".png", ".bin"}]


def test_the_repositorys_address_is_written_nowhere():
    """A fork's book points at the fork: no launch link, badge or clone address with a fixed owner."""
    pattern = re.compile(r"colab\.research\.google\.com/github/(?!owner/)\w|git clone (https?://|git@)\w|mybinder\.org/v2/gh/\w")
    for path in tracked():
        if path.name != "test_tree.py":
            assert not pattern.search(path.read_text(encoding="utf-8")), path


# --- a broken copy of the tree ---------------------------------------------------------------------------------------

@pytest.fixture
def copy(tmp_path):
    """A copy of what the checks look at, to break."""
    for name in ["notebooks", "book"]:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns(".ipynb_checkpoints", "__pycache__"))
    shutil.copy(ROOT / "_toc.yml", tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mnist.npz").symlink_to(ROOT / "data" / "mnist.npz")
    return tmp_path


def complaint(root):
    """Return the only complaint about the tree at `root`."""
    problems = tool.check_all(root)
    assert len(problems) == 1, problems
    return problems[0]


def test_a_stray_file(copy):
    (copy / "notebooks" / "helper.py").write_text("x = 1")
    assert re.search(r"notebooks/helper\.py: a stray file.*move it or delete it", complaint(copy))


def test_a_chapter_missing_from_the_table_of_contents(copy):
    toc = copy / "_toc.yml"
    toc.write_text("".join(line for line in toc.read_text().splitlines(True) if "04_output_size" not in line))
    assert re.search(r"04_output_size\.ipynb: not in _toc\.yml\. Add `- file: notebooks/04_output_size`", complaint(copy))


def test_a_page_that_does_not_exist(copy):
    with open(copy / "_toc.yml", "a") as file:
        file.write("      - file: book/nowhere\n")
    assert re.search(r"_toc\.yml lists book/nowhere, and there is no such page", complaint(copy))


def test_a_truncated_notebook(copy):
    path = next((copy / "notebooks").glob("04_*"))
    path.write_text(path.read_text()[:5000])
    problems = tool.check_all(copy)
    assert re.search(r"04_output_size\.ipynb: not a notebook .*Restore it from git", problems[0])


def edit(root, change, number="04"):
    """Apply `change` to the notebook of the tree at `root` and write it back."""
    path = next((root / "notebooks").glob(f"{number}_*"))
    notebook = nbformat.read(path, as_version=4)
    change(notebook)
    path.write_text(nbformat.writes(notebook, indent=1) + "\n")


def first_code(notebook, start=0):
    return next(c for c in notebook.cells[start:] if c.cell_type == "code" and "# @title" not in c.source)


@pytest.mark.parametrize("change, message", [
    (lambda nb: setattr(first_code(nb), "execution_count", None), r"04_output_size\.ipynb: not one fresh run from the top.*: cell \d+\. Run `make refresh NB=notebooks/04"),
    (lambda nb: setattr(first_code(nb), "source", first_code(nb).source + "\nx = 1"), r"edited since it was last run: cell \d+\. Run `make refresh"),
    (lambda nb: nb.metadata.update(colab={"provenance": []}), r"not in canonical form.*make refresh"),
    (lambda nb: nb.cells[3].update(id="zzzzzzzz"), r"edited since|not in canonical form"),
])
def test_a_hand_edited_notebook(copy, change, message):
    edit(copy, change)
    assert re.search(message, complaint(copy))


def test_a_function_that_differs_from_its_first_home(copy):
    edit(copy, lambda nb: first_code(nb).update(source='def show(images):\n    return images'), number="04")
    assert any("show differs from the one in 01_images_are_arrays.ipynb" in p for p in tool.check_all(copy))


def test_a_setup_cell_that_differs(copy):
    def change(notebook):
        cell = next(c for c in notebook.cells if c.cell_type == "code")
        cell.source += "\nimport json"
    edit(copy, change)
    assert any("its setup cell differs from the TensorFlow setup cell of" in p for p in tool.check_all(copy))


# --- the lint, rule by rule ------------------------------------------------------------------------------------------

def code_cell(source, outputs=(), **metadata):
    return new_code_cell(source, outputs=list(outputs), metadata=metadata)


PNG = new_output("display_data", data={"image/png": "aGVsbG8="})
FOLDED = dict(cellView="form", tags=["hide-cell"])


@pytest.mark.parametrize("cell, message", [
    (code_cell("\n".join(["x = 1"] * 26)), "26 lines"),
    (code_cell("x = '" + "a" * 90 + "'"), "columns"),
    (code_cell("%matplotlib inline"), "magic or shell"),
    (code_cell("!pip install x"), "magic or shell"),
    (code_cell("x = ("), "does not parse"),
    (code_cell("import helper"), "imports helper"),
    (code_cell("from sklearn.svm import SVC"), "imports sklearn"),
    (code_cell("from . import x"), r"imports \."),
    (code_cell("plt.plot(x);"), "ends with `;`"),
    (code_cell("# @title Solution\nx = 1"), "folded cell needs all three"),
    (code_cell("x = 1", **FOLDED), "folded cell needs all three"),
    (code_cell("x = 1", tags=["nbval-skip"]), "nbval-skip"),
    (code_cell("fit()", tags=["nbval-ignore-output"]), "asserts anything"),
    (code_cell("x", [new_output("error", ename="KeyError", evalue="3", traceback=[])]), "ends in KeyError: 3"),
    (code_cell("x", [new_output("stream", name="stderr", text="W: careful")]), "writes to stderr: W: careful"),
    (code_cell("plt.show()", [PNG]), "without alt text"),
    (code_cell("plt.show()", [PNG], mystnb={"image": {"alt": "plot"}}), "without alt text"),
    (code_cell("x", [new_output("execute_result", data={"text/plain": "<object at 0x7f3a5c1d2e80>"})]), "object's address"),
])
def test_the_lint_sees_a_bad_code_cell(cell, message):
    found = list(tool.check_code(cell, []))
    assert len(found) == 1 and re.search(message, found[0]), found


def test_the_lint_accepts_good_code_cells():
    after = [code_cell("assert x == 1")]
    for cell in [code_cell("# @title Solution\nx = 1", **FOLDED), code_cell("fit()", tags=["nbval-ignore-output"]),
                 code_cell("plt.show()", [PNG], mystnb={"image": {"alt": "A line that falls from left to right."}})]:
        assert list(tool.check_code(cell, after)) == []


@pytest.mark.parametrize("old, new, message", [
    ("**You will learn**", "You learn", "You will learn"),
    ("## Summary", "## Sum", "must end with the sections"),
    ("<details>", "<p>", "asks for no prediction"),
    ("# Strides", "## Strides", "exactly one `# Title`"),
    ("](05_channels_and_cost.ipynb)", "](x.html)", "does not lead on"),
])
def test_the_lint_sees_a_missing_part(old, new, message):
    notebook = nbformat.read(find_notebook("04"), as_version=4)
    markdown = [c.source.replace(old, new) for c in notebook.cells if c.cell_type == "markdown"]
    found = list(tool.check_outline(markdown, notebook))
    assert len(found) == 1 and re.search(message, found[0]), found


@pytest.mark.parametrize("text, message", [
    (":::{note}\nhello\n:::", "::: directive"), ("```{admonition} x\n```", "MyST directive"),
    ("> [!NOTE]\n> x", "GitHub alert"), ("see {cite}`x`", "MyST role"),
])
def test_the_lint_sees_what_colab_would_show_raw(copy, text, message):
    edit(copy, lambda nb: nb.cells.insert(2, new_markdown_cell(text)))
    assert any(re.search(message, problem) for problem in tool.check_all(copy))


def test_the_lint_wants_a_solution_for_each_checker():
    notebook = nbformat.read(find_notebook("04"), as_version=4)
    markdown = [c.source for c in notebook.cells if c.cell_type == "markdown"]
    notebook.cells = [c for c in notebook.cells if "solved_zeros = " not in c.source]
    assert any("5 checkers and 4 solutions" in problem for problem in tool.check_outline(markdown, notebook))


# --- the tool ----------------------------------------------------------------------------------------------------------

@pytest.fixture
def small(tmp_path):
    """A small notebook with text, a figure and a stray bit of metadata."""
    cells = [new_markdown_cell("# Small"), code_cell("import matplotlib.pyplot as plt\nprint(1)\nprint(2)", collapsed=True),
             code_cell("plt.plot([1, 2])\nplt.show()"), code_cell("print(3)"), code_cell("print(3)")]
    path = tmp_path / "00_small.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"colab": {}}), path)
    return path


def test_refresh_run_twice_leaves_no_difference(small, capsys):
    tool.refresh([small])
    first = small.read_bytes()
    tool.refresh([small])
    assert small.read_bytes() == first
    notebook = nbformat.read(small, as_version=4)
    assert [c.execution_count for c in notebook.cells[1:]] == [1, 2, 3, 4]
    assert notebook.cells[1].outputs[0].text == "1\n2\n"
    assert len({c.id for c in notebook.cells}) == 5 and "colab" not in notebook.metadata
    assert capsys.readouterr().out.count("00_small.ipynb ....") == 2  # progress, a dot a cell


def test_refresh_leaves_a_notebook_where_only_a_timing_differs(small, capsys):
    def change(source):
        notebook = nbformat.read(small, as_version=4)
        notebook.cells[1:] = [code_cell("import time\nprint(time.time_ns())", tags=["nbval-ignore-output"]), code_cell(source)]
        nbformat.write(notebook, small)
        tool.refresh([small])
        return small.read_bytes()

    first = change("print(1)")
    tool.refresh([small])
    assert small.read_bytes() == first and ", nothing new" in capsys.readouterr().out
    tool.refresh([small], renew=True)
    assert small.read_bytes() != first
    second = change("print(2)")  # a new run: all its outputs are stored
    assert second.replace(b"print(2)", b"print(1)").splitlines()[:30] != first.splitlines()[:30]
    edited = nbformat.reads(second, as_version=4)
    edited.cells[2].outputs[0].text = "3\n"
    nbformat.write(edited, small)
    tool.refresh([small])
    assert nbformat.read(small, as_version=4).cells[2].outputs[0].text == "2\n"


def test_a_notebook_that_fails_is_left_as_it_was(small, capsys):
    edited = nbformat.read(small, as_version=4)
    edited.cells.append(code_cell("raise KeyError('gone')"))
    nbformat.write(edited, small)
    before = small.read_bytes()
    assert tool.refresh([small]) == 1
    assert small.read_bytes() == before
    assert "FAILED, left as it was" in capsys.readouterr().out


def test_the_tool_names_a_notebook_that_is_not_there():
    result = subprocess.run([sys.executable, ROOT / "tools" / "notebooks.py", "refresh", "notebooks/99_x.ipynb"], capture_output=True, text=True)
    assert result.returncode == 2 and "no such notebook" in result.stderr and "99_x" in result.stderr


# --- MNIST ---------------------------------------------------------------------------------------------------------------

def save(path, **arrays):
    np.savez(path, **arrays)
    return path


def zeros(**changed):
    arrays = {"x_train": np.zeros((60000, 28, 28), "u1"), "y_train": np.zeros(60000, "u1"),
              "x_test": np.zeros((10000, 28, 28), "u1"), "y_test": np.zeros(10000, "u1")}
    return arrays | changed


def test_mnist_has_the_official_digests():
    assert tool.check_mnist() == []


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
    assert len(x_test) == 10_000 and all(digest in card for digest in tool.MNIST_IDX_SHA256.values())


def test_a_missing_truncated_or_foreign_mnist_is_named(tmp_path):
    path = tmp_path / "mnist.npz"
    assert "is missing. Restore it" in tool.check_mnist(path)[0]
    path.write_bytes((ROOT / "data" / "mnist.npz").read_bytes()[:100_000])
    assert "truncated or not an .npz" in tool.check_mnist(path)[0]
    assert "holds ['x']" in tool.check_mnist(save(path, x=np.zeros(3)))[0]
    assert "x_train (uint8, (60000, 28, 28)) is not MNIST's" in tool.check_mnist(save(path, **zeros()))[0]
    path.unlink()
    np.save(tmp_path / "object.npy", np.array([{}], dtype=object), allow_pickle=True)
    (tmp_path / "object.npy").rename(path)
    assert "cannot be read" in tool.check_mnist(path)[0]  # a pickle is not loaded


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


# --- the address of the repository ---------------------------------------------------------------------------------------

def git(folder, *arguments):
    subprocess.run(["git", "-C", folder, *arguments], check=True, capture_output=True)


@pytest.mark.parametrize("remote, url", [
    ("https://github.com/ann/book.git", "https://github.com/ann/book"),
    ("git@github.com:ann/my.book.git", "https://github.com/ann/my.book"),
    ("https://example.org/book.git", None),
    (None, None),
])
def test_the_address_comes_from_the_environment_or_the_remote(tmp_path, remote, url):
    git(tmp_path, "init")
    if remote:
        git(tmp_path, "remote", "add", "origin", remote)
    assert repository.repository_url({}, tmp_path) == url
    assert repository.repository_url({"GITHUB_REPOSITORY": "bob/fork"}, tmp_path) == "https://github.com/bob/fork"


def test_without_an_address_there_are_no_buttons(tmp_path, monkeypatch):
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    config = SimpleNamespace(html_theme_options={"launch_buttons": {"colab_url": "x"}})
    repository.configure(SimpleNamespace(confdir=tmp_path), config)
    assert config.html_theme_options == {"launch_buttons": {}}


def test_the_pins_are_those_of_the_lock():
    lock = (ROOT / "requirements.lock").read_text().splitlines()
    pins = {line.split(";")[0].strip() for line in lock}
    for line in (ROOT / "requirements.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            assert line.split(";")[0].strip() in pins, f"{line}: run `make lock`"
