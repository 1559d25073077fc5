"""Refreshing and measuring notebooks: two runs leave the same bytes, and what fails or costs too much is said."""

import subprocess
import sys

import nbformat
import pytest
from conftest import ROOT
from nbformat.v4 import new_code_cell, new_markdown_cell, new_raw_cell

from tools.book import run


@pytest.fixture
def small(tmp_path):
    """A small notebook with text, a figure and a stray bit of metadata."""
    cells = [new_markdown_cell("# Small"), new_code_cell("import matplotlib.pyplot as plt\nprint(1)\nprint(2)", metadata={"collapsed": True}),
             new_code_cell("plt.plot([1, 2])\nplt.show()"), new_code_cell("print(3)"), new_code_cell("print(3)")]
    path = tmp_path / "00_small.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"colab": {}}), path)
    return path


def test_refresh_run_twice_leaves_no_difference(small, capsys):
    run.refresh([small])
    first = small.read_bytes()
    run.refresh([small])
    assert small.read_bytes() == first
    notebook = nbformat.read(small, as_version=4)
    assert [c.execution_count for c in notebook.cells[1:]] == [1, 2, 3, 4]
    assert notebook.cells[1].outputs[0].text == "1\n2\n"
    assert len({c.id for c in notebook.cells}) == 5 and "colab" not in notebook.metadata
    assert capsys.readouterr().out.count("00_small.ipynb ....") == 2  # progress, a dot a cell


def test_refresh_leaves_a_notebook_where_only_a_timing_differs(small, capsys):
    def change(source):
        notebook = nbformat.read(small, as_version=4)
        notebook.cells[1:] = [new_code_cell("import time\nprint(time.time_ns())", metadata={"tags": ["nbval-ignore-output"]}), new_code_cell(source)]
        nbformat.write(notebook, small)
        run.refresh([small])
        return small.read_bytes()

    first = change("print(1)")
    run.refresh([small])
    assert small.read_bytes() == first and ", nothing new" in capsys.readouterr().out
    run.refresh([small], renew=True)
    assert small.read_bytes() != first
    second = change("print(2)")  # a new run: all its outputs are stored
    assert second.replace(b"print(2)", b"print(1)").splitlines()[:30] != first.splitlines()[:30]
    edited = nbformat.reads(second, as_version=4)
    edited.cells[2].outputs[0].text = "3\n"
    nbformat.write(edited, small)
    run.refresh([small])
    assert nbformat.read(small, as_version=4).cells[2].outputs[0].text == "2\n"


def test_a_notebook_that_fails_is_left_as_it_was(small, capsys):
    edited = nbformat.read(small, as_version=4)
    edited.cells.append(new_code_cell("raise KeyError('gone')"))
    nbformat.write(edited, small)
    before = small.read_bytes()
    assert run.refresh([small]) == 1
    assert small.read_bytes() == before
    assert "FAILED, left as it was" in capsys.readouterr().out


@pytest.mark.parametrize("cell, message", [
    (new_raw_cell("what an author wrote"), "cell 6 is raw"),
    (new_markdown_cell("![x](attachment:x.png)", attachments={"x.png": {"image/png": ""}}), "cell 6 has an attachment"),
])
def test_refresh_refuses_to_lose_what_an_author_wrote(small, capsys, cell, message):
    edited = nbformat.read(small, as_version=4)
    edited.cells.append(cell)
    nbformat.write(edited, small)
    before = small.read_bytes()
    assert run.refresh([small]) == 1 and small.read_bytes() == before
    assert f"FAILED, left as it was\n{message}" in capsys.readouterr().out


def test_an_empty_cell_is_named_and_does_not_disturb_the_count(small, capsys):
    edited = nbformat.read(small, as_version=4)
    edited.cells.insert(1, new_code_cell(" "))
    nbformat.write(edited, small)
    assert run.refresh([small]) == 1
    assert "cell 2 is empty: delete it" in (said := capsys.readouterr().out) and "not one fresh run" not in said
    assert [c.execution_count for c in nbformat.read(small, as_version=4).cells[2:]] == [1, 2, 3, 4]


@pytest.mark.parametrize("seconds, peak, book, status", [(59, 1.4e9, 19, 0), (61, 1.4e9, 19, 1), (59, 1.6e9, 19, 1), (59, 1.4e9, 21, 1)])
def test_bench_fails_on_too_much(monkeypatch, capsys, tmp_path, seconds, peak, book, status):
    monkeypatch.setattr(run, "execute", lambda path: (None, seconds, peak))
    clock = iter([0, book])
    monkeypatch.setattr(run.time, "perf_counter", lambda: next(clock))
    monkeypatch.setattr(run, "build", lambda *options: None)
    assert run.bench([tmp_path / "04_x.ipynb"]) == status
    assert capsys.readouterr().out.count("TOO MUCH") == status


@pytest.mark.parametrize("command", ["refresh", "bench"])
def test_the_tool_names_a_notebook_that_is_not_there(command):
    line = [sys.executable, "-m", "tools.book", command, "notebooks/99_x.ipynb"]
    result = subprocess.run(line, capture_output=True, text=True, cwd=ROOT)
    assert result.returncode == 1 and "no such notebook" in result.stderr and "99_x" in result.stderr
