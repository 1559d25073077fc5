"""What the tests share: the definitions of a notebook, taken out of it without running the rest."""

import ast
import functools
import os
import re
import subprocess
import sys
from pathlib import Path

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", KERAS_BACKEND="tensorflow")  # a notebook's kernel inherits them

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

from browser import browser_type_launch_args, visit  # noqa: E402, F401  (fixtures)
from filelock import FileLock  # noqa: E402


def find_notebook(number):
    """Return the path of the chapter with that number, as "04"."""
    return next((ROOT / "notebooks").glob(f"{number}_*.ipynb"))


@functools.cache
def definitions(number):
    """Return what the chapter defines at top level: imports, functions, classes and UPPERCASE constants, as a dict.

    Cells run in order; solutions are left out, and so is every other statement. A function that needs more than that
    cannot be taken out of its notebook by a reader either.
    """
    path = find_notebook(number)
    namespace = {"__name__": path.stem}
    folder = os.getcwd()
    os.chdir(path.parent)  # a notebook's kernel starts there
    try:
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type != "code" or cell.source.startswith("# @title Solution"):
                continue
            body = [node for node in ast.parse(cell.source).body if keep(node)]
            exec(compile(ast.Module(body, []), path.name, "exec"), namespace)
    finally:
        os.chdir(folder)
    return namespace


def keep(node):
    """Say whether `definitions` keeps this top-level statement."""
    if isinstance(node, ast.Assign):
        names = [n.id for target in node.targets for n in ast.walk(target) if isinstance(n, ast.Name)]
        return bool(names) and all(name.isupper() and len(name) > 1 for name in names)  # W = 13 is a size
    return isinstance(node, (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef))


@pytest.fixture(scope="session")
def chapter():
    """The function that returns the definitions of a chapter: chapter("04")["output_size"]."""
    return definitions


def build(*options, source=ROOT):
    """Build the book in `source`, as a repository named owner/book; a warning is an error.

    `options` are those of `jupyter-book build`.
    """
    command = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build", source, "-W", "-n", "--keep-going"]
    environment = {**os.environ, "GITHUB_REPOSITORY": "owner/book", "GITHUB_REF_NAME": "main"}
    result = subprocess.run(list(map(str, [*command, *options])), capture_output=True, text=True, env=environment)
    said = (result.stdout + result.stderr).splitlines()
    assert result.returncode == 0, "\n".join(line for line in said if re.search("WARNING|ERROR|Error", line))


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The folder of the built book's pages, which is built once, whatever the number of workers."""
    folder = tmp_path_factory.getbasetemp()
    folder = (folder.parent if os.environ.get("PYTEST_XDIST_WORKER") else folder) / "site"
    pages = folder / "_build" / "html"
    with FileLock(f"{folder}.lock"):
        if not pages.exists():
            build("--path-output", folder)
    return pages
