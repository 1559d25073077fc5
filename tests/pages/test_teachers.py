"""Each chapter says in one line how to teach it, and the page for teachers gathers these lines."""

from types import SimpleNamespace

import nbformat
import pytest
from bs4 import BeautifulSoup
from conftest import ROOT
from from_chapters import for_teachers, outdated

CHAPTERS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def title_and_line(path):
    cells = nbformat.read(path, as_version=4).cells
    return cells[0].source.splitlines()[0].removeprefix("# "), for_teachers(cells)


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_says_what_to_do_in_a_lesson_and_what_to_vote_on(path):
    _title, line = title_and_line(path)
    assert line.startswith("In 45 minutes: ") and "skip" in line and "Vote on: " in line


def test_the_page_for_teachers_has_every_line(site):
    page = BeautifulSoup((site / "book" / "for_teachers.html").read_text(encoding="utf-8"), "html.parser")
    paragraphs = {link["href"]: link.find_parent("p").text for link in page.select("article p a[href^='../notebooks/']")}
    for path in CHAPTERS:
        title, line = title_and_line(path)
        said = " ".join(paragraphs[f"../notebooks/{path.stem}.html"].split())
        assert said.startswith(f"{path.name[:2]} {title}. In 45 minutes: ")
        assert len(said) > 0.7 * len(line)


def test_a_new_chapter_reaches_the_pages_that_gather():
    env = SimpleNamespace(found_docs={"book/claims", "book/for_teachers", "book/index"})
    assert outdated(None, env, {"notebooks/24_new"}, set(), set()) == {"book/claims", "book/for_teachers"}
    assert not outdated(None, env, set(), {"notebooks/04_changed"}, set())
