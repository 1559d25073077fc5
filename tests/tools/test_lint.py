"""The files of the book are where they belong, and each thing that can go wrong gets one clear message."""

import copy
import re
import subprocess
import sys

import nbformat
import pytest
from conftest import ROOT, find_notebook
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from tools.book import lint

NAME = find_notebook("04").name
TEXT = find_notebook("04").read_text(encoding="utf-8")
CHAPTER = nbformat.reads(TEXT, as_version=4)


def test_nothing_to_complain_of():
    assert lint.lint() == []


def test_the_command_says_so():
    result = subprocess.run([sys.executable, "-m", "tools.book", "lint"], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0 and result.stdout == "Nothing to complain of.\n", result.stdout


def test_ruff_looks_at_tools_extensions_and_notebooks(tmp_path):
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    wide, narrow = f"x = '{'a' * 100}'\n", f"x = '{'a' * 80}'\n"
    for name, text in [("tools/book/x.py", "import json\n"), ("tools/y.py", wide), ("tools/z.py", narrow)]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "notebooks").mkdir()
    for number, source in enumerate(["x = (", narrow, "print(y)"]):
        notebook = nbformat.v4.new_notebook(cells=[new_code_cell(source)])
        nbformat.write(notebook, tmp_path / "notebooks" / f"0{number}_x.ipynb")
    found = "\n".join(lint.ruff(tmp_path))
    for pattern in [r"tools/book/x.py.*F401", r"tools/y.py.*E501", "00_x.*syntax", "01_x.*E501.*80", "02_x.*F821"]:
        assert re.search(pattern, found), (pattern, found)
    assert "z.py" not in found and len(found.splitlines()) == 5


# --- files ---------------------------------------------------------------------------------------------------------------

@pytest.fixture
def tree(tmp_path):
    """A small tree in order: two empty chapters, and two pages that link them."""
    for name in ["notebooks/01_a.ipynb", "notebooks/02_b.ipynb", "book/index.md"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "_toc.yml").write_text("root: book/index\nchapters:\n  - file: notebooks/01_a\n  - file: notebooks/02_b\n  - file: book/looking_back\n")
    for page in ["index", "looking_back"]:
        (tmp_path / "book" / f"{page}.md").write_text("[a](../notebooks/01_a.ipynb) [b](../notebooks/02_b.ipynb)")
    assert list(lint.lint_tree(tmp_path)) == []
    return tmp_path


@pytest.mark.parametrize("name, message", [
    ("notebooks/helper.py", r"notebooks/helper\.py: a stray file.*move it or delete it"),
    ("notebooks/03_C.ipynb", r"notebooks/03_C\.ipynb: a stray file"),
    ("notebooks/03_c.ipynb", r"03_c\.ipynb: not in _toc\.yml\. Add `- file: notebooks/03_c`"),
    ("book/page.md", r"book/page\.md: not in _toc\.yml\. Add `- file: book/page`"),
])
def test_a_file_that_does_not_belong(tree, name, message):
    (tree / name).touch()
    assert re.search(message, "\n".join(lint.lint_tree(tree)))


def test_a_page_that_does_not_exist(tree):
    (tree / "book" / "index.md").unlink()
    found = list(lint.lint_tree(tree))
    assert len(found) == 1 and "_toc.yml lists book/index, and there is no such page" in found[0]


@pytest.mark.parametrize("page, what", [("index", "the course"), ("looking_back", "what a reader can do now")])
def test_a_chapter_that_the_first_or_last_page_leaves_out(tree, page, what):
    (tree / "book" / f"{page}.md").write_text("[a](../notebooks/01_a.ipynb)")
    assert list(lint.lint_tree(tree)) == [f"book/{page}.md has no link to notebooks/02_b.ipynb. Add it to {what}."]


def test_all_complaints_come_together(tree, monkeypatch):
    """A notebook that cannot be read keeps no other from being compared."""
    monkeypatch.setattr(lint, "ruff", lambda root: ["ruff's"])
    (tree / "notebooks" / "02_b.ipynb").write_text(TEXT.replace("import matplotlib", "import  matplotlib", 1))
    (tree / "notebooks" / "01_a.ipynb").write_text(TEXT[:5000])
    (tree / "notebooks" / "03_c.ipynb").write_text(TEXT)
    found = "\n".join(lint.lint(tree))
    for pattern in ["ruff's", "mnist.npz is missing", "01_a.ipynb is not a notebook", "02_b.ipynb: edited since", "03_c.ipynb: its setup cell differs"]:
        assert pattern in found, found


# --- a notebook ----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("text, message", [
    (TEXT[:5000], r"^04_output_size\.ipynb is not a notebook .*Restore it from git"),
    (TEXT.replace('   "source": [\n', '<<<<<<< HEAD\n   "source": [\n=======\n>>>>>>> other\n', 1), r"^04_output_size\.ipynb holds a merge conflict.*git checkout --ours"),
    ("version https://git-lfs.github.com/spec/v1\noid sha256:4cac\nsize 123\n", "pointer of Git LFS.*git lfs pull"),
])
def test_a_text_that_is_no_notebook(text, message):
    found = lint.lint_notebook(NAME, text)
    assert len(found) == 1 and re.search(message, found[0]), found


def lint_changed(change):
    """Return the complaints about chapter 04 after `change` of its notebook."""
    notebook = copy.deepcopy(CHAPTER)
    change(notebook)
    return lint.lint_notebook(NAME, nbformat.writes(notebook, indent=1) + "\n")


def first_code(notebook):
    return next(c for c in notebook.cells if c.cell_type == "code" and "# @title" not in c.source)


@pytest.mark.parametrize("change, message", [
    (lambda nb: setattr(first_code(nb), "execution_count", None), r"^04_output_size\.ipynb: not one fresh run from the top.*: cell \d+\. Run `make refresh NB=notebooks/04"),
    (lambda nb: setattr(first_code(nb), "source", first_code(nb).source + "\nx = 1"), r"edited since it was last run: cell \d+\. Run `make refresh"),
    (lambda nb: nb.metadata.update(colab={"provenance": []}), r"not in canonical form.*make refresh"),
    (lambda nb: nb.cells[3].update(id="zzzzzzzz"), r"edited since|not in canonical form"),
    (lambda nb: nb.cells.insert(5, new_code_cell(" ")), r"^04_output_size\.ipynb, cell 6 is empty: delete it\.$"),
    (lambda nb: nb.cells.insert(5, new_markdown_cell("")), r"^04_output_size\.ipynb, cell 6 is empty: delete it\.$"),
    (lambda nb: nb.cells[3].metadata.update(name="x"), r"^04_output_size\.ipynb, cell 4 has metadata of no use here: delete name"),
    (lambda nb: nb.cells.insert(5, nbformat.v4.new_raw_cell("x")), r"^04_output_size\.ipynb, cell 6 is raw"),
])
def test_a_hand_edited_notebook(change, message):
    found = lint_changed(change)
    assert len(found) == 1 and re.search(message, found[0]), found


def test_a_notebook_that_is_too_large():
    found = lint_changed(lambda notebook: notebook.cells.insert(5, new_markdown_cell("x" * 1_000_000)))
    assert re.search(r"04_output_size\.ipynb: [\d,]+ bytes, more than 1,000,000: make its pictures smaller", "\n".join(found))


def test_a_function_that_differs_from_its_first_home():
    other = copy.deepcopy(CHAPTER)
    first_code(other).source = "def output_size(n):\n    return n"
    notebooks = {"04_a.ipynb": CHAPTER, "05_b.ipynb": CHAPTER, "06_c.ipynb": other}
    found = list(lint.lint_recaps(notebooks))
    assert len(found) == 1 and found[0].startswith("06_c.ipynb: output_size differs from the one in 04_a.ipynb.")


def test_a_setup_cell_that_differs():
    other = copy.deepcopy(CHAPTER)
    next(c for c in other.cells if c.cell_type == "code").source += "\nimport json"
    found = list(lint.lint_setup({"04_a.ipynb": CHAPTER, "05_b.ipynb": CHAPTER, "06_c.ipynb": other}))
    assert found == ["06_c.ipynb: its setup cell differs from the TensorFlow setup cell of 04_a.ipynb. Copy that one."]


# --- the lint, rule by rule ------------------------------------------------------------------------------------------

def code_cell(source, outputs=(), **metadata):
    return new_code_cell(source, outputs=list(outputs), metadata=metadata)


PNG = new_output("display_data", data={"image/png": "aGVsbG8="})
FOLDED = dict(cellView="form", tags=["hide-cell"])


@pytest.mark.parametrize("cell, message", [
    (code_cell("\n".join(["x = 1"] * 26)), "26 lines"),
    (code_cell("%matplotlib inline"), "magic or shell"),
    (code_cell("!pip install x"), "magic or shell"),
    (code_cell("import helper"), "imports helper"),
    (code_cell("from sklearn.svm import SVC"), "imports sklearn"),
    (code_cell("from . import x"), r"imports \."),
    (code_cell("plt.plot(x);"), "ends with `;`"),
    (code_cell("# @title Solution\nx = 1"), "folded cell needs all three"),
    (code_cell("x = 1", **FOLDED), "folded cell needs all three"),
    (code_cell("x = 1", tags=["nbval-skip"]), "nbval-skip"),
    (code_cell("x", [new_output("error", ename="KeyError", evalue="3", traceback=[])]), "ends in KeyError: 3"),
    (code_cell("x", [new_output("stream", name="stderr", text="W: careful")]), "writes to stderr: W: careful"),
    (code_cell("plt.show()", [PNG]), "without alt text"),
    (code_cell("plt.show()", [PNG], mystnb={"image": {"alt": "plot"}}), "without alt text"),
    (code_cell("x", [new_output("execute_result", data={"text/plain": "<object at 0x7f3a5c1d2e80>"})]), "object's address"),
])
def test_the_lint_sees_a_bad_code_cell(cell, message):
    found = list(lint.lint_code(cell))
    assert len(found) == 1 and re.search(message, found[0]), found


def test_the_lint_accepts_good_code_cells():
    for cell in [code_cell("# @title Solution\nx = 1", **FOLDED), code_cell("x = ("),  # which is for ruff
                 code_cell("plt.show()", [PNG], mystnb={"image": {"alt": "A line that falls from left to right."}})]:
        assert list(lint.lint_code(cell)) == []


def test_what_is_not_compared_is_proved_by_an_assertion():
    ignored, proof, text = code_cell("fit()", tags=["nbval-ignore-output"]), code_cell("assert x == 1"), new_markdown_cell("So:")
    assert list(lint.lint_ignored([ignored, text, proof])) == []
    assert re.match("cell 2: .* asserts anything", *lint.lint_ignored([text, ignored, text, code_cell("x = 1"), proof]))


@pytest.mark.parametrize("old, new, message", [
    ("**You will learn**", "You learn", "You will learn"),
    ("## Summary", "## Sum", "must end with the sections"),
    ("<details>", "<p>", "asks for no prediction"),
    ("# Strides", "## Strides", "exactly one `# Title`"),
    ("](05_channels_and_cost.ipynb)", "](x.html)", "does not lead on"),
])
def test_the_lint_sees_a_missing_part(old, new, message):
    cells = copy.deepcopy(CHAPTER.cells)
    for cell in cells:
        if cell.cell_type == "markdown":
            cell.source = cell.source.replace(old, new)
    found = list(lint.lint_outline(cells))
    assert len(found) == 1 and re.search(message, found[0]), found


@pytest.mark.parametrize("text, message", [
    (":::{note}\nhello\n:::", "::: directive"), ("```{admonition} x\n```", "MyST directive"),
    ("> [!NOTE]\n> x", "GitHub alert"), ("see {cite}`x`", "MyST role"),
    ("Text.\n\n## Go deeper: why", "folds only at the head of its cell"), ("# Go deeper: why", "begins with `## Go deeper"),
    ("## go deeper: why", "begins with `## Go deeper"),
])
def test_the_lint_sees_what_a_reader_would_see_raw_or_unfolded(text, message):
    found = list(lint.lint_markdown(new_markdown_cell(text)))
    assert len(found) == 1 and re.search(message, found[0]), found
    assert list(lint.lint_markdown(new_markdown_cell("### Go deeper: why\nText on how to go deeper."))) == []


def test_the_lint_wants_a_solution_for_each_checker():
    cells = [c for c in CHAPTER.cells if "solved_zeros = " not in c.source]
    assert any("5 checkers and 4 solutions" in problem for problem in lint.lint_outline(cells))


def test_the_pins_are_those_of_the_lock():
    lock = (ROOT / "requirements.lock").read_text().splitlines()
    pins = {line.split(";")[0].strip() for line in lock}
    for line in (ROOT / "requirements.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            assert line.split(";")[0].strip() in pins, f"{line}: run `make lock`"
