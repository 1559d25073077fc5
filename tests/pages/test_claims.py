"""The page of claims has every assertion of the notebooks, each once, beside a sentence, in a fold of its chapter."""

import re

import nbformat
import pytest
from bs4 import BeautifulSoup
from conftest import ROOT
from from_chapters import assertions, claims, sentences

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def counted(path):
    """Return the number of assertions of a notebook, by its lines and not by its syntax."""
    code = "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code")
    return len(re.findall(r"(?m)^\s*assert\b|^\s*(?:np\.testing|tf\.debugging)\.assert_\w+\(", code))


@pytest.fixture(scope="module")
def page(site):
    return BeautifulSoup((site / "book" / "claims.html").read_text(encoding="utf-8"), "html.parser").article


def test_the_page_counts_what_the_chapters_assert(page):
    numbers = {path.name[:2]: counted(path) for path in NOTEBOOKS}
    assert page.find("strong").text == f"{sum(numbers.values()):,} assertions in {len(numbers)} chapters.".replace(",", "")
    heads = [re.match(r"(\d\d) .+: (\d+) assertions", head.text) for head in page.select("details > summary")]
    assert {head[1]: int(head[2]) for head in heads} == numbers


def test_the_page_shows_them_all_folded(page):
    said = "\n".join(block.text for block in page.select("pre"))
    assert len(re.findall(r"(?m)^(?:assert\b|\w+\.\w+\.assert_)", said)) == sum(map(counted, NOTEBOOKS))
    assert not page.select("details[open]") and "assert output_size(9, 3, S=2)" in said


def test_every_assertion_has_a_section_and_a_sentence():
    for path in NOTEBOOKS:
        for heading, cells in claims(nbformat.read(path, as_version=4).cells).items():
            assert heading and all(sentence and not sentence.startswith(("<", "#", "|")) for sentence, _ in cells), (path.name, heading, cells)


@pytest.mark.parametrize("text, found", [
    ("One. Two!", ["One.", "Two!"]), ("Why? Because:\n\nit is.", ["Because:", "it is."]), ("## A\n\n<details>x. y.</details>\n\nText\nhere.", ["Text here."]), ("| a |\n- b.", [""]),
])
def test_sentences(text, found):
    assert sentences(text) == found


def test_assertions_are_taken_whole_and_in_order():
    assert assertions("x = 1\nfor i in x:\n    assert (i ==\n            1)\nnp.testing.assert_allclose(x,\n    y)\nassert x") == [
        "assert (i ==\n            1)", "np.testing.assert_allclose(x,\n    y)", "assert x"]
