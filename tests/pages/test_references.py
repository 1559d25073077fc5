"""Whoever is sent to a chapter arrives there: numbers, titles, links and file names agree in every text of the book."""

import ast
import re
import subprocess

import nbformat
import pytest
from conftest import ROOT, definitions

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
TITLES = {path.stem: re.match(r"# (.+)", nbformat.read(path, as_version=4).cells[0].source)[1] for path in NOTEBOOKS}
NUMBERS = {int(stem[:2]) for stem in TITLES}
ELSEWHERE = re.compile(r"Deep Learning, chapter 9|chapter 9 of \*Deep Learning\*")  # another book's chapters
MENTION = re.compile(r"\bchapters? (\d{1,2}\b(?:(?:, and |, | and | to )\d{1,2}\b)*)", re.I)
STEM = re.compile(r"(?<![\w{])(\d\d_[a-z]\w+)(?=\.(?:ipynb|html))")
FAMOUS = {"07_convnet_mnist", "07_convnet_layers", "07_run_kernels"}  # files of CS 20
FILES = [ROOT / name for name in subprocess.check_output(["git", "ls-files"], cwd=ROOT, text=True).split()
         if re.search(r"\.(ipynb|md|py|js|mjs|yml|cff|toml|html)$", name) and (ROOT / name).exists()]


def words(path):
    """Return what `path` says, without the outputs of a notebook."""
    if path.suffix != ".ipynb":
        return path.read_text(encoding="utf-8")
    return "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells)


def wrong_references(text, invents=False):
    """Return the references in `text` that lead nowhere, or elsewhere than their words say.

    A test that `invents` chapters may name files that are none, under names that are no chapter's.
    """
    text = ELSEWHERE.sub("", text)
    found = [mention[0] for mention in MENTION.finditer(text) if not {int(n) for n in re.findall(r"\d+", mention[1])} <= NUMBERS]
    names = {stem[3:] for stem in TITLES}
    found += [stem for stem in STEM.findall(text) if stem not in TITLES and stem not in FAMOUS and not (invents and stem[3:] not in names)]
    for number, link in re.findall(r"(?i)chapter (\d{1,2})(?:, \[[^\]]*)?\]\([^)]*?(\d\d)_\w+\.ipynb", text):
        found += [f"chapter {number} leads to {link}"] * (int(number) != int(link))
    for number, link in re.findall(r"^(?:\| )?(\d+)\. \[[^\]]*\]\([^)]*?(\d\d)_\w+\.ipynb", text, re.M):
        found += [f"row {number} leads to {link}"] * (int(number) != int(link))
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_chapter_that_is_named_exists(path):
    if path.name != "test_references.py":
        assert wrong_references(words(path), invents="tests" in path.parts) == []


@pytest.mark.parametrize("text", [
    "see chapter 29", "chapters 4 and 29", "[x](09_keras.ipynb)", "../notebooks/07_pooling.html", "[chapter 4](05_channels_and_cost.ipynb)",
    "chapter 5, [Pooling](../notebooks/06_pooling.ipynb)", "| 4. [Pooling](../notebooks/06_pooling.ipynb) |", "4. [Pooling](../notebooks/06_pooling.ipynb)", "Chapter 27's conv2d",
])
def test_a_wrong_reference_is_found(text):
    assert len(wrong_references(text)) == 1


def test_a_test_may_invent_a_chapter_but_not_another_number_for_one():
    assert wrong_references("04_first.ipynb", invents=True) == []
    assert wrong_references("09_keras.ipynb", invents=True) == ["09_keras"]


def test_a_link_with_a_chapters_title_leads_to_it():
    by_title = {title: stem for stem, title in TITLES.items()}
    seen = 0
    for path in FILES:
        for title, stem in re.findall(r"\[([^\]]+)\]\((?:\.\./notebooks/)?(\d\d_\w+)\.ipynb", words(path)):
            if title in by_title:
                seen += 1
                assert by_title[title] == stem, f"{path.name}: [{title}] leads to {stem}"
    assert seen > 60


def test_a_recap_names_the_first_home_of_its_functions():
    home, seen = {}, 0
    for path in NOTEBOOKS:
        for cell in nbformat.read(path, as_version=4).cells:
            names = [node.name for node in ast.parse(cell.source).body if isinstance(node, ast.FunctionDef)] if cell.cell_type == "code" else []
            title = re.match(r"# @title Recap.*", cell.source)
            for name in names:
                if title:
                    seen += 1
                    assert home[name] in map(int, re.findall(r"chapter (\d+)", title[0])), f"{path.name}: {name} comes from chapter {home[name]}, not: {title[0]}"
                home.setdefault(name, int(path.name[:2]))
    assert seen > 25


def test_the_table_of_functions_names_their_chapters():
    rows = re.findall(r"^\| (`.+?`) \| (\d+) \|", (ROOT / "book" / "notation.md").read_text(encoding="utf-8"), re.M)
    assert len(rows) > 5
    for names, number in rows:
        for name in re.findall(r"`(\w+)", names):
            assert name in definitions(f"{int(number):02}"), f"chapter {number} defines no {name}"


def test_a_file_of_this_book_that_is_named_exists():
    """`tools/make/curves.py` in a text is a file; other people's files are under other folders."""
    seen = 0
    for path in FILES:
        if path.suffix in (".md", ".ipynb"):
            for name in re.findall(r"`((?:book|tests|tools|notebooks|data)/[\w/.-]+)`", words(path)):
                if "NAME" not in name and "NN_" not in name:
                    seen += 1
                    assert (ROOT / name).exists(), f"{path.name} names {name}"
    assert seen > 12


def test_the_tests_of_a_chapter_carry_its_name():
    chapters = ROOT / "tests" / "chapters"
    named = {path.stem.removeprefix("test_") for path in chapters.glob("test_[0-9]*.py")}
    more = {"11_own_picture"}  # a second file, for the half that reads photographs
    more |= {f"21_many_devices_{part}" for part in ("ended", "hosts", "stored")}
    more |= {"22_doodles_range"}
    assert named - TITLES.keys() == more
    assert {path.stem for path in (chapters / "wrong_answers").glob("[0-9]*.py")} == TITLES.keys()
    for path in chapters.rglob("*[0-9][0-9]_*.py"):
        first = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))).splitlines()[0]
        number = re.search(r"\d\d", path.name)[0]
        assert re.search(rf"(?i)\bchapter {number}\b", first), f"{path.name} begins: {first}"
