"""Run, check and canonicalise the notebooks.

    python tools/notebooks.py refresh [NOTEBOOK ...]   run top to bottom, store the outputs (--renew: see refresh)
    python tools/notebooks.py check                    look at everything without running it
    python tools/notebooks.py bench                    seconds and peak memory of each notebook, and of the book

A notebook is canonical when one fresh run from top to bottom left it: execution counts 1..n, no timestamps, only the
metadata that means something here, and cell ids made from the cell's text. So a cell edited since the last run is seen
without running it: its id no longer fits.
"""

import argparse
import ast
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
import yaml

ROOT = Path(__file__).resolve().parents[1]
ALLOWED_IMPORTS = {"numpy", "scipy", "matplotlib", "tensorflow", "keras"} | sys.stdlib_module_names
CELL_METADATA = {"tags", "mystnb", "cellView"}
MARKDOWN_FORBIDDEN = {
    r"^:::": "a ::: directive", r"^```\{": "a MyST directive", r"^> \[!": "a GitHub alert", r"\{(cite|eq|ref|term|doc)\}`": "a MyST role",
}
HEADINGS = ["Summary", "Exercises", "Further reading"]
MAX_LINES, MAX_COLUMNS = 25, 88
MAX_BYTES = 1_000_000
# The arrays of data/mnist.npz, written as IDX files, have these SHA-256 digests: the official files'.
MNIST_IDX_SHA256 = {
    "x_train": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "y_train": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "x_test": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "y_test": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


# --- canonical form -------------------------------------------------------------------------------------------------

def cell_id(cell, seen):
    """Return a stable id for `cell`: a digest of its kind and text; `seen` counts repeats within the notebook."""
    digest = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:8]
    seen[digest] = seen.get(digest, 0) + 1
    return digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"


def canonical(notebook):
    """Return the canonical text of `notebook` (nbformat 4.5) as a string that ends in a newline."""
    notebook = nbformat.from_dict(json.loads(json.dumps(notebook)))
    seen = {}
    for cell in notebook.cells:
        cell.source = "\n".join(line.rstrip() for line in cell.source.strip("\n").splitlines())
        cell.id = cell_id(cell, seen)
        cell.metadata = {key: cell.metadata[key] for key in sorted(CELL_METADATA & cell.metadata.keys())}
        cell.pop("attachments", None)
        for output in cell.get("outputs", []):
            if "metadata" in output:
                output.metadata = {}
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return nbformat.writes(notebook, indent=1) + "\n"


def without_ignored(text):
    """Return the notebook in a canonical text without the outputs that are not compared: those of trainings and timings."""
    notebook = json.loads(text)
    for cell in notebook["cells"]:
        if "nbval-ignore-output" in cell["metadata"].get("tags", []):
            cell["outputs"] = []
    return notebook


def write_atomically(path, text):
    """Write `text` to `path` so that an interruption leaves the old file or the new one, never half of one."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=".", suffix=".tmp", delete=False, encoding="utf-8") as file:
        file.write(text)
    os.chmod(file.name, 0o644)
    os.replace(file.name, path)


def execute(path, progress=lambda text: None):
    """Run the notebook at `path` in a fresh kernel, as nbval does; return (notebook, seconds, peak bytes of the kernel)."""
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
    client = NotebookClient(notebook, kernel_name="python3", timeout=900, record_timing=False, coalesce_streams=True,
                            resources={"metadata": {"path": str(path.parent)}},
                            extra_arguments=["--IPKernelApp.log_level=ERROR"])  # else each kernel warns of its loopback socket
    # ipykernel leaves C-level output uncaptured while this is set: the stored outputs are then those that nbval sees.
    env = dict(os.environ, PYTEST_CURRENT_TEST="refresh")
    start = time.perf_counter()
    with client.setup_kernel(env=env):
        count = 0
        for index, cell in enumerate(notebook.cells):
            if cell.cell_type == "code":
                count += 1
                client.execute_cell(cell, index, execution_count=count)
                progress(".")
        seconds = time.perf_counter() - start
        probe = nbformat.v4.new_code_cell("import resource\nprint(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)")
        notebook.cells.append(probe)
        client.execute_cell(probe, len(notebook.cells) - 1)
        peak = int(notebook.cells.pop().outputs[0].text)
    return notebook, seconds, peak * (1 if sys.platform == "darwin" else 1024)


# --- check ----------------------------------------------------------------------------------------------------------

def check_notebook(path):
    """Return the complaints about the notebook at `path`: a list of sentences, empty when all is well."""
    name = path.name
    try:
        text = path.read_text(encoding="utf-8")
        notebook = nbformat.reads(text, as_version=4)
        nbformat.validate(notebook)
    except Exception as error:
        return [f"{name}: not a notebook ({type(error).__name__}: {str(error).splitlines()[0]}). Restore it from git."]
    problems = []

    def complain(index, what):
        problems.append(f"{name}, cell {index}: {what}" if index else f"{name}: {what}")

    rerun = f"Run `make refresh NB=notebooks/{name}`."
    seen, count, markdown, edited, unrun = {}, 0, [], [], []
    for index, cell in enumerate(notebook.cells, 1):
        if cell.cell_type != "code":
            markdown.append(cell.source)
            for pattern, what in MARKDOWN_FORBIDDEN.items():
                if re.search(pattern, cell.source, re.M):
                    complain(index, f"{what} in Markdown: Colab and GitHub show it raw. Use CommonMark, $math$ and <details>.")
        elif cell_id(cell, dict(seen)) != cell.get("id"):
            edited.append(index)
        cell_id(cell, seen)
        if cell.cell_type == "code":
            count += 1
            if cell.execution_count != count:
                unrun.append(index)
            for what in check_code(cell, notebook.cells[index:]):
                complain(index, what)
    if edited:
        complain(0, f"edited since it was last run: {several(edited)}. {rerun}")
    if unrun and unrun != edited:
        complain(0, f"not one fresh run from the top (execution counts 1, 2, 3, ...): {several(unrun)}. {rerun}")
    if not problems and text != canonical(notebook):
        complain(0, f"not in canonical form (saved by another tool?). {rerun}")
    for what in check_outline(markdown, notebook):
        complain(0, what)
    if len(text.encode()) > MAX_BYTES:
        complain(0, f"{len(text.encode()):,} bytes, more than {MAX_BYTES:,}: make its pictures smaller.")
    return problems


def several(cells, most=5):
    """Return "cell 3" or "cells 3, 4 and 7 more" for a list of cell numbers."""
    shown = ", ".join(map(str, cells[:most]))
    return f"cell{'s' * (len(cells) > 1)} {shown}" + (f" and {len(cells) - most} more" if len(cells) > most else "")


def check_code(cell, following):
    """Yield what is wrong with one code cell; `following` is the list of the cells after it."""
    source, tags = cell.source, cell.metadata.get("tags", [])
    lines = source.splitlines()
    if len(lines) > MAX_LINES:
        yield f"{len(lines)} lines, more than {MAX_LINES}: split the cell."
    for number, line in enumerate(lines, 1):
        if len(line) > MAX_COLUMNS:
            yield f"line {number} has {len(line)} columns, more than {MAX_COLUMNS}: a reader has to scroll sideways."
    if re.search(r"^\s*[%!]", source, re.M):
        yield "a magic or shell line: a notebook is plain Python."
        return
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        yield f"does not parse: {error.msg} at line {error.lineno}."
        return
    for node in ast.walk(tree):
        names = ([alias.name for alias in node.names] if isinstance(node, ast.Import) else
                 [node.module or "."] if isinstance(node, ast.ImportFrom) else [])
        for imported in names:
            if imported.split(".")[0] not in ALLOWED_IMPORTS:
                yield f"imports {imported}: a reader's Colab has only numpy, scipy, matplotlib, tensorflow, keras and the standard library."
    if lines and lines[-1].rstrip().endswith(";"):
        yield "ends with `;`: end a plot with plt.show()."
    folded = cell.metadata.get("cellView") == "form" and {"hide-cell", "hide-input"} & set(tags)
    if source.startswith("# @title") != bool(folded):
        yield "a folded cell needs all three: first line `# @title ...`, metadata cellView: form, tag hide-cell or hide-input."
    if "nbval-skip" in tags:
        yield "the tag nbval-skip hides a cell from the tests."
    if "nbval-ignore-output" in tags:
        after = [c for c in following if c.cell_type == "code"][:1]
        if not any("assert" in c.source for c in [cell, *after]):
            yield "its output is ignored, and neither it nor the next code cell asserts anything."
    for output in cell.outputs:
        if output.output_type == "error" and "raises-exception" not in tags:
            yield f"ends in {output.ename}: {output.evalue}"
        if output.get("name") == "stderr":
            yield f"writes to stderr: {output.text.strip().splitlines()[-1]}"
        if "image/png" in output.get("data", {}):
            alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
            if len(alt) < 20:
                yield "a figure without alt text (metadata mystnb: {image: {alt: what a reader should see}})."
        printed = output.get("text", "") + output.get("data", {}).get("text/plain", "")
        if re.search(r"0x[0-9a-f]{6,}", printed):
            yield "prints an object's address."


def check_outline(markdown, notebook):
    """Yield what is missing from the contract of a chapter (see CONTRIBUTING.md)."""
    text = "\n".join(markdown)
    titles = re.findall(r"^# (.+)$", text, re.M)
    if len(titles) != 1 or not markdown[0].startswith("# "):
        yield f"needs exactly one `# Title`, at the top; it has {len(titles)}."
    if "**You will learn**" not in text:
        yield "lacks **You will learn** at the top."
    headings = re.findall(r"^## (.+)$", text, re.M)
    if headings[-len(HEADINGS):] != HEADINGS:
        yield f"must end with the sections {', '.join(HEADINGS)}; it ends with {', '.join(headings[-len(HEADINGS):])}."
    if "<details>" not in text:
        yield "asks for no prediction (a <details> with the answer)."
    code = "\n".join(c.source for c in notebook.cells if c.cell_type == "code")
    checkers = set(re.findall(r"^def (check_\w+)", code, re.M))
    solutions = [c for c in notebook.cells if c.cell_type == "code" and c.source.startswith("# @title Solution")]
    if not 4 <= len(checkers) <= 6 or len(solutions) != len(checkers):
        yield f"has {len(checkers)} checkers and {len(solutions)} solutions: 4 to 6 exercises, each with both."
    for cell in solutions:
        if not re.search(r"assert check_\w+\(.*\n?.*\)\.startswith\(\"Correct\"\)", cell.source):
            yield f"the solution {cell.source.splitlines()[0]!r} does not end by asserting that its checker accepts it."
    if not re.search(r"\]\((\d\d_\w+\.ipynb|\.\./book/\w+\.md)\)", markdown[-1]):
        yield "its last cell does not lead on to the next chapter."


def table_of_contents(root=ROOT):
    """Return the files that _toc.yml lists, without endings, in reading order."""
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    chapters = [chapter for part in toc.get("parts", [toc]) for chapter in part["chapters"]]
    return [toc["root"]] + [chapter["file"] for chapter in chapters]


def check_tree(root=ROOT):
    """Return the complaints about the files: notebooks/, _toc.yml and book/."""
    problems = []
    listed = table_of_contents(root)
    for path in sorted((root / "notebooks").iterdir()):
        if path.name == ".ipynb_checkpoints":
            continue
        if not re.fullmatch(r"\d\d_[a-z0-9_]+\.ipynb", path.name):
            problems.append(f"notebooks/{path.name}: a stray file. notebooks/ holds only NN_snake_case.ipynb: move it or delete it.")
        elif f"notebooks/{path.stem}" not in listed:
            problems.append(f"notebooks/{path.name}: not in _toc.yml. Add `- file: notebooks/{path.stem}` where it is to be read.")
    for path in sorted((root / "book").glob("*.md")):
        if f"book/{path.stem}" not in listed:
            problems.append(f"book/{path.name}: not in _toc.yml. Add `- file: book/{path.stem}` where it is to be read.")
    for name in listed:
        if not any((root / f"{name}{ending}").exists() for ending in (".md", ".ipynb")):
            problems.append(f"_toc.yml lists {name}, and there is no such page. Correct the name or remove the line.")
    return problems


def check_recaps(paths):
    """Return the complaints about functions that stand in two notebooks under one name with different code."""
    problems, first = [], {}
    for path in paths:
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type != "code" or cell.source.startswith("# @title Solution"):
                continue
            try:
                body = ast.parse(cell.source).body
            except SyntaxError:
                continue  # check_code says so
            for node in body:
                if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                    tree = ast.dump(node)
                    where, known = first.setdefault(node.name, (path.name, tree))
                    if where != path.name and known != tree:
                        problems.append(f"{path.name}: {node.name} differs from the one in {where}. "
                                        "A function that returns is the same; give another one another name.")
    return problems


def check_setup(paths):
    """Return the complaints about setup cells: the first code cell is the same, to the byte, in all notebooks of a kind."""
    problems, first = [], {}
    for path in paths:
        source = next(c.source for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code")
        kind = "TensorFlow" if "import tensorflow" in source else "NumPy"
        where, known = first.setdefault(kind, (path.name, source))
        if source != known:
            problems.append(f"{path.name}: its setup cell differs from the {kind} setup cell of {where}. Copy that one.")
    return problems


def check_mnist(path=ROOT / "data" / "mnist.npz"):
    """Return the complaints about the MNIST file at `path`; a list, empty when its arrays have the official digests."""
    import numpy as np

    get = "Restore it with `git checkout data/mnist.npz`, or copy the one that keras.datasets.mnist downloads."
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
    except FileNotFoundError:
        return [f"data/{path.name} is missing. {get}"]
    except Exception as error:  # zipfile, zlib and NumPy each have their own
        return [f"data/{path.name} cannot be read ({type(error).__name__}: {error}). It is truncated or not an .npz. {get}"]
    if set(arrays) != set(MNIST_IDX_SHA256):
        return [f"data/{path.name} holds {sorted(arrays)}, not {sorted(MNIST_IDX_SHA256)}: it is another file. {get}"]
    problems = []
    for key, expected in MNIST_IDX_SHA256.items():
        array = arrays[key]
        header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
        if array.dtype != np.uint8 or hashlib.sha256(header + array.tobytes()).hexdigest() != expected:
            problems.append(f"data/{path.name}: {key} ({array.dtype}, {array.shape}) is not MNIST's. {get}")
    return problems


def check_all(root=ROOT):
    """Return all complaints about the checkout at `root`."""
    problems = check_tree(root) + check_mnist(root / "data" / "mnist.npz")
    paths = chapters(root)
    for path in paths:
        problems += check_notebook(path)
    try:
        problems += check_recaps(paths) + check_setup(paths)
    except Exception as error:
        problems.append(f"recaps not compared: {error}")
    return problems


def chapters(root=ROOT):
    """Return the paths of the notebooks of `root`, in order of their numbers."""
    return sorted((root / "notebooks").glob("[0-9][0-9]_*.ipynb"))


# --- commands -------------------------------------------------------------------------------------------------------

def refresh(paths, renew=False):
    """Run each notebook and store its outputs; a notebook that fails is left as it was. Return the exit status.

    So is one where nothing has changed but the outputs of trainings and timings, which differ each time; unless `renew`.
    """
    failed = 0
    for path in paths:
        print(f"{path.name} ", end="", flush=True)
        try:
            notebook, seconds, peak = execute(path, lambda text: print(text, end="", flush=True))
        except Exception as error:
            failed = 1
            print(f" FAILED, left as it was\n{error}", flush=True)
            continue
        old, new = path.read_text(encoding="utf-8"), canonical(notebook)
        kept = not renew and old == canonical(nbformat.reads(old, as_version=4)) and without_ignored(old) == without_ignored(new)
        if not kept:
            write_atomically(path, new)
        print(f" {seconds:.0f} s, {peak / 1e9:.2f} GB{', nothing new' if kept else ''}", flush=True)
        for problem in check_notebook(path):
            failed = 1
            print(f"  {problem}", flush=True)
    return failed


def bench(paths):
    """Print seconds and peak memory of each notebook and the seconds the book takes from stored outputs; return the exit status."""
    rows = []
    for path in paths:
        _, seconds, peak = execute(path)
        rows.append((path.name, seconds, 60, f"{peak / 1e9:.2f} GB (at most 1.50)", peak <= 1.5e9))
        print(".", end="", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build", str(ROOT), "-q", "--path-output", folder], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        rows.append(("the book, from stored outputs", time.perf_counter() - start, 20, "", True))
    print()
    for name, seconds, limit, memory, fits in rows:
        verdict = "" if seconds <= limit and fits else "  TOO MUCH"
        print(f"{name:<40} {seconds:5.1f} s (at most {limit})   {memory}{verdict}")
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["refresh", "check", "bench"])
    parser.add_argument("--renew", action="store_true", help="refresh: store new outputs of trainings and timings too")
    parser.add_argument("notebooks", nargs="*", type=Path, help="default: all of notebooks/")
    arguments = parser.parse_args()
    paths = [path.resolve() for path in arguments.notebooks] or chapters()
    missing = [str(path) for path in paths if not path.exists()]
    if missing:
        parser.error(f"no such notebook: {', '.join(missing)}")
    if arguments.command == "check":
        problems = check_all()
        print("\n".join(problems) or f"{len(paths)} notebooks: nothing to complain of.")
        return 1 if problems else 0
    return refresh(paths, arguments.renew) if arguments.command == "refresh" else bench(paths)


if __name__ == "__main__":
    sys.exit(main())
