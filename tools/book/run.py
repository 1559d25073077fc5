"""Run the notebooks: to store their outputs (refresh), or to measure what they need (bench)."""

import json
import os
import re
import subprocess
import sys
import tempfile
import time

import nbformat

from tools.book.canonical import canonical
from tools.book.files import ROOT
from tools.book.lint import lint_notebook

# What a notebook may take on two busy cores, and the build of the book from stored outputs.
MOST_SECONDS, MOST_BYTES, MOST_SECONDS_OF_BOOK = 60, 1.5e9, 20


def execute(path):
    """Run the notebook at `path` in a fresh kernel, as nbval does; print a dot after each cell.

    Returns (notebook, seconds, peak bytes of the kernel).
    """
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(
        "import resource\nprint(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"))
    client = NotebookClient(
        notebook, kernel_name="python3", timeout=900, record_timing=False, coalesce_streams=True,
        resources={"metadata": {"path": str(path.parent)}},
        extra_arguments=["--IPKernelApp.log_level=ERROR"],  # else it warns of its loopback socket
        on_cell_executed=lambda **_: print(".", end="", flush=True))
    start = time.perf_counter()
    # ipykernel leaves C-level output uncaptured while this is set: what is stored, nbval sees too.
    client.execute(env={**os.environ, "PYTEST_CURRENT_TEST": "refresh"})
    seconds = time.perf_counter() - start
    peak = int(notebook.cells.pop().outputs[0].text)
    return notebook, seconds, peak * (1 if sys.platform == "darwin" else 1024)


def write_atomically(path, text):
    """Write `text` so that an interruption leaves the old file or the new one, not half of one."""
    new = path.with_name(f".{path.name}.tmp")
    new.write_text(text, encoding="utf-8")
    new.replace(path)


def without_ignored(text):
    """Return the parsed notebook without the outputs that no test compares: timings, trainings."""
    notebook = json.loads(text)
    for cell in notebook["cells"]:
        if "nbval-ignore-output" in cell["metadata"].get("tags", []):
            cell["outputs"] = []
    return notebook


def refresh(paths, renew=False):
    """Run each notebook and store its outputs; return the exit status.

    A notebook that fails is left as it was, and so is one where nothing has changed but the outputs
    of trainings and timings, which differ each time; unless `renew`.
    """
    failed = 0
    for path in paths:
        print(f"{path.name} ", end="", flush=True)
        old = path.read_text(encoding="utf-8")
        try:
            as_it_was = canonical(nbformat.reads(old, as_version=4))  # refuses what it would lose
            notebook, seconds, peak = execute(path)
        except Exception as error:
            failed = 1
            print(f" FAILED, left as it was\n{error}", flush=True)
            continue
        new = canonical(notebook)
        same = old == as_it_was and without_ignored(old) == without_ignored(new)
        if renew or not same:
            write_atomically(path, new)
        news = ", nothing new" if same and not renew else ""
        print(f" {seconds:.0f} s, {peak / 1e9:.2f} GB{news}", flush=True)
        for problem in lint_notebook(path.name, path.read_text(encoding="utf-8")):
            failed = 1
            print(f"  {problem}", flush=True)
    return failed


def build(*options, source=ROOT):
    """Build the book in `source`, as a repository named owner/book; a warning is an error.

    `options` are those of `jupyter-book build`.
    """
    command = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build",
               source, "-W", "-n", "--keep-going", *options]
    environment = {**os.environ, "GITHUB_REPOSITORY": "owner/book", "GITHUB_REF_NAME": "main"}
    result = subprocess.run([str(word) for word in command], cwd=source, env=environment,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if result.returncode:
        lines = result.stdout.splitlines()
        raise RuntimeError("\n".join(line for line in lines if re.search("WARNING|[Ee]rror", line)))


def bench(paths):
    """Print what each notebook and the book take; return 1 if something takes too much."""
    rows = []
    for path in paths:
        _, seconds, peak = execute(path)
        rows.append((path.name, seconds, MOST_SECONDS, peak))
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        build("--path-output", folder)
        seconds = time.perf_counter() - start
    rows.append(("the book, from stored outputs", seconds, MOST_SECONDS_OF_BOOK, 0))
    print()
    failed = 0
    for name, seconds, limit, peak in rows:
        memory = f"{peak / 1e9:.2f} GB (at most {MOST_BYTES / 1e9:.2f})" if peak else ""
        too_much = seconds > limit or peak > MOST_BYTES
        failed |= too_much
        print(f"{name:<40} {seconds:5.1f} s (at most {limit})   {memory}{'  TOO MUCH' * too_much}")
    return int(failed)
