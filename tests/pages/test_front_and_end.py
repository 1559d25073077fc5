"""The first page, the last page, "How to use this book" and README: what they say of the book is so."""

import re

import nbformat
import pytest
from conftest import ROOT, find_notebook
from from_chapters import assertions

from tools.book.files import table_of_contents

PAGES = {name: (ROOT / name).read_text(encoding="utf-8")
         for name in ["README.md", "book/index.md", "book/looking_back.md", "book/how_to_use.md"]}
CHAPTERS = [name.rpartition("/")[2] for name in table_of_contents() if name.startswith("notebooks/")]
STOP = re.compile(r"(?m)^(\d+)\. \[[^\]]*\]\(\.\./notebooks/(\w+)\.ipynb\)\\\n +\*(\d+) min\* \S.*$")
FIRST_PART = re.compile(r"(?s)<summary>.*?<small>(\d+) chapters, (?:(\d+) h)? ?(?:(\d+) min)?</small></summary>(.*?)</details>")
# A number of the last page: the chapter and the pattern of its assertion.
NUMBERS = {"3,274,634": ("10", r"\b3_274_634\b")}


# --- the first page -------------------------------------------------------------------------------

def test_a_part_says_how_many_chapters_it_has_and_how_long_they_take():
    """test_site.py compares the minutes of each chapter with those that the chapter states."""
    parts = [found.groups() for found in FIRST_PART.finditer(PAGES["book/index.md"])]
    assert len(parts) == PAGES["book/index.md"].count('<details class="part"') == 4
    stops = []
    for count, hours, minutes, inside in parts:
        here = STOP.findall(inside)
        assert len(here) == int(count) == inside.count("../notebooks/")
        assert sum(int(stop[2]) for stop in here) == 60 * int(hours or 0) + int(minutes or 0)
        stops += here
    assert [stop[1] for stop in stops] == CHAPTERS and all(int(n) == int(name[:2]) for n, name, _minutes in stops)


# --- the last page --------------------------------------------------------------------------------

def test_the_last_page_is_short_and_asks_of_each_chapter_once():
    text = PAGES["book/looking_back.md"]
    words = re.sub(r"\]\([^)]*\)", "]", text).split()
    assert 700 <= len(words) <= 910
    links = re.findall(r"\.\./notebooks/(\w+)\.ipynb", text)
    assert sorted(links) == sorted(set(links)) and set(CHAPTERS) == set(links)


def test_every_number_of_the_last_page_is_asserted_by_a_chapter():
    text = re.sub(r"\[An image is worth 16x16 words(?=\])|TensorFlow 1\b|`[^`]*`|\]\([^)]*\)|\(chapters [\d and,]+\)|, (?:20[0-2]\d)\b",
                  "]", PAGES["book/looking_back.md"])
    assert set(re.findall(r"\d[\d.,]*\d|\d", text)) == set(NUMBERS)
    for chapter, pattern in NUMBERS.values():
        cells = nbformat.read(find_notebook(chapter), as_version=4).cells
        code = [line for cell in cells if cell.cell_type == "code" for line in assertions(cell.source)]
        assert re.search(pattern, "\n".join(code)), f"chapter {chapter} asserts nothing like {pattern}"


def test_what_was_left_out_has_a_source_with_name_year_and_link():
    part = PAGES["book/looking_back.md"].split("## Know what was left out")[1].split("\n## ")[0]
    items = re.findall(r"(?m)^- (.+)$", part)
    assert len(items) >= 9
    for item in items:
        assert re.fullmatch(r"\*\*[^*]+\*\*.*: [A-ZJ][^\[]+ [^\[]+, \[[^\]]+\]\(https://[^)]+\), (19|20)\d\d, [^.]+\.", item), item


def test_a_project_has_its_time_chapters_first_step_and_test():
    part = PAGES["book/looking_back.md"].split("## Choose a project")[1]
    items = re.findall(r"(?m)^- (.+)$", part)
    assert 8 <= len(items) <= 10
    for item in items:
        assert re.match(r"\*\*An? (evening|weekend|week|month): [^*]+\.\*\* ", item), item
        assert "*First*, " in item and "*It works when* " in item, item
        assert "(chapters " in item or "](for_teachers.md)" in item, item


# --- how to use it, and README --------------------------------------------------------------------

def test_the_versions_on_the_page_are_those_that_are_pinned():
    pins = dict(re.findall(r"(?m)^([\w-]+)==(\d+\.\d+)", (ROOT / "requirements.txt").read_text(encoding="utf-8")))
    said = re.search(r"TensorFlow ([\d.]+), Keras ([\d.]+) and NumPy ([\d.]+),", PAGES["book/how_to_use.md"]).groups()
    assert said == (pins["tensorflow"], pins["keras"], pins["numpy"])
    assert "TensorFlow is newer than {}, Keras than {} or NumPy than {}, go back".format(*said) in PAGES["book/how_to_use.md"]


def test_readme_shows_the_book_before_it_explains():
    head = PAGES["README.md"].split("\n\n")
    alt, path = re.fullmatch(r"!\[(.+)\]\((.+\.png)\)", head[1]).groups()
    picture = (ROOT / path).read_bytes()
    assert len(alt) > 100 and picture.startswith(b"\x89PNG") and len(picture) < 150_000


@pytest.mark.parametrize("path", re.findall(r"`([\w./]+)`", PAGES["README.md"].split("| where |")[1].split("\n\n")[0]))
def test_readme_names_what_is_there(path):
    assert (ROOT / path).exists() or (ROOT / "tools" / path).exists()


# --- from chapter to chapter ------------------------------------------------------------------------

@pytest.mark.parametrize("name, follower", zip(CHAPTERS, [*CHAPTERS[1:], "../book/looking_back"], strict=True))
def test_a_chapter_ends_with_the_way_to_the_next(name, follower):
    last = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4).cells[-1].source
    target = follower + (".md" if follower.startswith("..") else ".ipynb")
    assert re.findall(r"\]\(([^)]+)\)", last)[-1] == target, f"{name} leads elsewhere, not to {target}"
