"""The lint: what is wrong with the files of the book, each with its remedy; nothing is run.

Lines, syntax, imports and names are ruff's (pyproject.toml). A notebook's limits stand here, once.
"""

import ast
import contextlib
import hashlib
import re
import subprocess
import sys

import nbformat

from tools.book import canonical, core_path, last_look
from tools.book.files import ROOT, chapters, table_of_contents

MAX_LINES, MAX_COLUMNS, MAX_BYTES = 25, 80, 1_000_000  # of a cell, of its lines, of a notebook
IMPORTS = {"numpy", "scipy", "matplotlib", "tensorflow", "keras", "IPython",  # of the kernel itself
           "PIL", "tensorboard",  # matplotlib and TensorFlow bring them
           *sys.stdlib_module_names}
RAW_IN_COLAB = {
    r"^:::": "a ::: directive",
    r"^```\{": "a MyST directive",
    r"^> \[!": "a GitHub alert",
    r"\{(cite|eq|ref|term|doc)\}`": "a MyST role",
}
LAST_SECTIONS = ["Summary", "Exercises", "Further reading"]
MNIST_SHA256 = "06af5dfe73b70e3bc1c36439982b18a8d76803db9b544f6fdf838a37fbb01b64"


def lint(root=ROOT):
    """Return all complaints about the checkout at `root`: sentences, none if all is well."""
    problems = [*lint_tree(root), *lint_mnist(root / "data" / "mnist.npz"), *ruff(root)]
    notebooks = {}
    for path in chapters(root):
        text = path.read_text(encoding="utf-8")
        problems += lint_notebook(path.name, text)
        with contextlib.suppress(ValueError):
            notebooks[path.name] = read(text)
    return [*problems, *lint_recaps(notebooks), *lint_setup(notebooks)]


def ruff(root=ROOT):
    """Return ruff's complaints; a notebook's lines are shorter than those of other Python."""
    python = [".", "--extend-exclude", "notebooks"]
    notebooks = ["notebooks", "--line-length", str(MAX_COLUMNS)]
    command = [sys.executable, "-m", "ruff", "check", "--quiet", "--output-format", "concise"]
    lines = []
    for what in (python, notebooks):
        result = subprocess.run([*command, *what], cwd=root, capture_output=True, text=True)
        lines += (result.stdout + result.stderr).splitlines()
    return lines


# --- files ------------------------------------------------------------------------------------

def lint_tree(root):
    """Yield what is wrong with notebooks/, book/ and _toc.yml, which has each chapter."""
    listed = table_of_contents(root)
    for path in sorted((root / "notebooks").iterdir()):
        if not re.fullmatch(r"\d\d_[a-z0-9_]+\.ipynb|\.ipynb_checkpoints", path.name):
            yield (f"notebooks/{path.name}: a stray file. notebooks/ holds only "
                   "NN_snake_case.ipynb: move it or delete it.")
    for path in [*chapters(root), *sorted((root / "book").glob("*.md"))]:
        page = path.relative_to(root).with_suffix("")
        if str(page) not in listed:
            yield (f"{path.relative_to(root)}: not in _toc.yml. "
                   f"Add `- file: {page}` where it is to be read.")
    for page in listed:
        if not any((root / f"{page}{ending}").exists() for ending in (".md", ".ipynb")):
            yield (f"_toc.yml lists {page}, and there is no such page. "
                   "Correct the name or remove the line.")
    for page, what in (("index", "the course"), ("looking_back", "what a reader can do now")):
        path = root / "book" / f"{page}.md"
        if not path.exists():
            continue  # as said above
        text = path.read_text(encoding="utf-8")
        for chapter in listed:
            if chapter.startswith("notebooks/") and f"../{chapter}.ipynb" not in text:
                yield f"book/{page}.md has no link to {chapter}.ipynb. Add it to {what}."


def lint_mnist(path):
    """Yield what is wrong with the MNIST file at `path`."""
    data = path.read_bytes() if path.exists() else b""
    left = left_by_git(data[:1000].decode("latin-1"))
    if left:
        yield f"data/{path.name} {left}"
    elif hashlib.sha256(data).hexdigest() != MNIST_SHA256:
        state = "is damaged, or another file" if data else "is missing"
        yield f"data/{path.name} {state}. Restore it with `git checkout data/{path.name}`."


def left_by_git(text):
    """Return a sentence without its subject about what git left in place of a file, or None."""
    if text.startswith("version https://git-lfs."):
        return "is a pointer of Git LFS in place of the file. Fetch the file with `git lfs pull`."
    if re.search(r"^(<{7}|>{7}) ", text, re.M):
        return ("holds a merge conflict. Take one side with `git checkout --ours` or `--theirs`, "
                "add the other's cells, and run `make refresh`.")
    return None


def read(text):
    """Return the notebook in `text`; raises ValueError, with a sentence without its subject."""
    try:
        notebook = nbformat.reads(text, as_version=4)
        nbformat.validate(notebook)
    except Exception as error:  # json and nbformat each have their own
        reason = f"{type(error).__name__}: {str(error).splitlines()[0]}"
        what = left_by_git(text) or f"is not a notebook ({reason}). Restore it from git."
        raise ValueError(what) from error
    return notebook


# --- one notebook -----------------------------------------------------------------------------

def lint_notebook(name, text):
    """Return the complaints about the notebook called `name` with this text."""
    try:
        notebook = read(text)
    except ValueError as error:
        return [f"{name} {error}"]
    cells = list(enumerate(notebook.cells, 1))
    problems = canonical.losses(notebook)
    for index, cell in cells:
        rules = lint_code if cell.cell_type == "code" else lint_markdown
        problems += [f"cell {index}: {what}" for what in rules(cell)]
        problems += [f"cell {index} is empty: delete it."] * (not cell.source.strip())
    problems += lint_ignored(notebook.cells)
    code = [(index, cell) for index, cell in cells
            if cell.cell_type == "code" and cell.source.strip()]
    ids = canonical.cell_ids(notebook.cells)
    edited = [index for index, cell in code if cell.get("id") != ids[index - 1]]
    unrun = [index for count, (index, cell) in enumerate(code, 1) if cell.execution_count != count]
    rerun = f"Run `make refresh NB=notebooks/{name}`."
    if edited:
        problems.append(f"edited since it was last run: {several(edited)}. {rerun}")
    if unrun and unrun != edited:
        problems.append("not one fresh run from the top (execution counts 1, 2, 3, ...): "
                        f"{several(unrun)}. {rerun}")
    if not problems and text != canonical.canonical(notebook):
        problems.append(f"not in canonical form (saved by another tool?). {rerun}")
    problems += lint_outline(notebook.cells)
    problems += core_path.beyond_contract(notebook.cells)
    problems += last_look.looks_too_early((i, statements(cell.source)) for i, cell in code)
    if len(text.encode()) > MAX_BYTES:
        problems.append(f"{len(text.encode()):,} bytes, more than {MAX_BYTES:,}: "
                        "make its pictures smaller.")
    return [f"{name}, {problem}" if problem.startswith("cell ") else f"{name}: {problem}"
            for problem in problems]


def several(cells, most=5):
    """Return "cell 3" or "cells 3, 4 and 7 more" for a list of cell numbers."""
    shown = ", ".join(map(str, cells[:most]))
    more = f" and {len(cells) - most} more" * (len(cells) > most)
    return f"cell{'s' * (len(cells) > 1)} {shown}{more}"


def lint_markdown(cell):
    """Yield what is wrong with one Markdown cell."""
    for pattern, what in RAW_IN_COLAB.items():
        if re.search(pattern, cell.source, re.M):
            yield (f"{what} in Markdown: Colab and GitHub show it raw. "
                   "Use CommonMark, $math$ and <details>.")
    if re.search(r"\n#+ Go deeper\b", cell.source, re.I):
        yield "a heading `Go deeper` folds only at the head of its cell: split the cell there."
    elif re.match(r"#+ Go deeper\b", cell.source, re.I) and not canonical.is_deeper(cell):
        yield "a section that folds begins with `## Go deeper: ...`, or one of a lower level."


def lint_code(cell):
    """Yield what is wrong with one code cell, alone."""
    source, tags = cell.source, cell.metadata.get("tags", [])
    if len(source.splitlines()) > MAX_LINES:
        yield f"{len(source.splitlines())} lines, more than {MAX_LINES}: split the cell."
    if re.search(r"^\s*[%!]", source, re.M):
        yield "a magic or shell line: a notebook is plain Python."
    for imported in imports(source):
        if imported.split(".")[0] not in IMPORTS:
            yield (f"imports {imported}: a reader's Colab has only numpy, scipy, matplotlib, "
                   "tensorflow, keras and the standard library.")
    if source.rstrip().endswith(";"):
        yield "ends with `;`: end a plot with plt.show()."
    folded = cell.metadata.get("cellView") == "form" and {"hide-cell", "hide-input"} & set(tags)
    if source.startswith("# @title") != bool(folded):
        yield ("a folded cell needs all three: first line `# @title ...`, metadata cellView: form, "
               "tag hide-cell or hide-input.")
    if "nbval-skip" in tags:
        yield "the tag nbval-skip hides a cell from the tests."
    for output in cell.outputs:
        if output.output_type == "error" and "raises-exception" not in tags:
            yield f"ends in {output.ename}: {output.evalue}"
        if output.get("name") == "stderr":
            yield f"writes to stderr: {output.text.strip().splitlines()[-1]}"
        alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
        if "image/png" in output.get("data", {}) and len(alt) < 20:
            yield ("a figure without alt text "
                   "(metadata mystnb: {image: {alt: what a reader should see}}).")
        printed = output.get("text", "") + output.get("data", {}).get("text/plain", "")
        if re.search(r"0x[0-9a-f]{6,}", printed):
            yield "prints an object's address."


def statements(source):
    """Return the parsed statements of a code cell; none where it does not parse, as ruff says."""
    try:
        return ast.parse(source).body
    except SyntaxError:
        return []


def imports(source):
    """Return the modules that a code cell imports."""
    nodes = [node for statement in statements(source) for node in ast.walk(statement)]
    plain = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    return plain + ["." * node.level + (node.module or "")
                    for node in nodes if isinstance(node, ast.ImportFrom)]


def lint_ignored(cells):
    """Yield the code cells whose output is not compared, and which nothing else proves."""
    code = [(index, cell) for index, cell in enumerate(cells, 1) if cell.cell_type == "code"]
    for position, (index, cell) in enumerate(code):
        proof = "".join(near.source for _, near in code[position:position + 2])
        if "nbval-ignore-output" in cell.metadata.get("tags", []) and "assert" not in proof:
            yield (f"cell {index}: its output is ignored, "
                   "and neither it nor the next code cell asserts anything.")


def lint_outline(cells):
    """Yield what is missing from the contract of a chapter (see CONTRIBUTING.md)."""
    markdown = [cell.source for cell in cells if cell.cell_type == "markdown"]
    sources = [cell.source for cell in cells if cell.cell_type == "code"]
    text = "\n".join(markdown)
    titles = re.findall(r"^# (.+)$", text, re.M)
    if len(titles) != 1 or not markdown[0].startswith("# "):
        yield f"needs exactly one `# Title`, at the top; it has {len(titles)}."
    if "**You will learn**" not in text:
        yield "lacks **You will learn** at the top."
    ending = re.findall(r"^## (.+)$", text, re.M)[-len(LAST_SECTIONS):]
    if ending != LAST_SECTIONS:
        yield (f"must end with the sections {', '.join(LAST_SECTIONS)}; "
               f"it ends with {', '.join(ending)}.")
    if "<details>" not in text:
        yield "asks for no prediction (a <details> with the answer)."
    checkers = set(re.findall(r"^def (check_\w+)", "\n".join(sources), re.M))
    solutions = [source for source in sources if source.startswith("# @title Solution")]
    if not 4 <= len(checkers) <= 6 or len(solutions) != len(checkers):
        yield (f"has {len(checkers)} checkers and {len(solutions)} solutions: "
               "4 to 6 exercises, each with both.")
    for source in solutions:
        if not re.search(r"assert check_\w+\(.*\n?.*\)\.startswith\(\"Correct\"\)", source):
            yield (f"the solution {source.splitlines()[0]!r} does not end by asserting "
                   "that its checker accepts it.")
    if not re.search(r"\]\((\d\d_\w+\.ipynb|\.\./book/\w+\.md)\)", "".join(markdown[-1:])):
        yield "its last cell does not lead on to the next chapter."


# --- all notebooks together -------------------------------------------------------------------

def lint_recaps(notebooks):
    """Yield the functions that stand in two of the `notebooks` {name: notebook} and differ."""
    first = {}
    for name, notebook in notebooks.items():
        nodes = [node for cell in notebook.cells if cell.cell_type == "code"
                 and not cell.source.startswith("# @title Solution")
                 for node in statements(cell.source)]
        for node in nodes:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                where, known = first.setdefault(node.name, (name, ast.dump(node)))
                if where != name and known != ast.dump(node):
                    yield (f"{name}: {node.name} differs from the one in {where}. A function that "
                           "returns is the same; give another one another name.")


def lint_setup(notebooks):
    """Yield the notebooks whose first code cell is not that of the others of its kind."""
    first = {}
    for name, notebook in notebooks.items():
        code = [cell.source for cell in notebook.cells if cell.cell_type == "code"][:1]
        kind = "TensorFlow" if "import tensorflow" in "".join(code) else "NumPy"
        where, known = first.setdefault(kind, (name, code))
        if code != known:
            yield (f"{name}: its setup cell differs from the {kind} setup cell of {where}. "
                   "Copy that one.")
