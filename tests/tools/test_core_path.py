"""What `lint --table` counts: the core path is all that a reader meets unfolded before the summary."""

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell

from tools.book.core_path import CONTRACT, beyond_contract, core_path


def text(source):
    return new_markdown_cell(source)


def code(source, *tags):
    return new_code_cell(source, metadata={"tags": list(tags)})


CELLS = [
    text("# Four words stand here"), code("x = 1\ny = 2"), code("setup", "hide-cell"), code("fit()", "nbval-ignore-output"),
    text("Two words.\n\n<details><summary>Guess</summary>\n\nhidden\n\n</details>"),
    text("## Go deeper: no word of it counts"), code("no"), text("### Not this one either\n\nno\n\n## Three words again"), code("z = 3"),
    text("### Go deeper: no\n\nno"), text("#### Nor this"), text("### Yes\n\nyes"),
    text("## Summary\n\nNothing from here."), code("no"), text("## Exercises"),
]


def test_the_core_path_is_counted():
    words = 11  # Four words stand here; Two words; Three words again; Yes yes
    assert core_path(CELLS) == (words, 3, 4, 1)


def test_an_empty_chapter_has_none():
    assert core_path([]) == (0, 0, 0, 0)


PREDICTION = "<details><summary>Guess</summary>\n\nno\n\n</details>"


def chapter(words=0, cells=0, lines=0, folds=5):
    """Return cells with so much on their core path; the lines are those beside the cells."""
    return [text("word " * words), *[text(PREDICTION)] * folds, *[code("x = 1")] * cells, code("x\n" * lines + "x", *["hide-cell"] * (not lines))]


def test_the_contract_is_the_limit():
    assert list(beyond_contract(chapter(1400, 13, 96, 7))) == []
    assert core_path(chapter(1400, 13, 96, 7)) == tuple(CONTRACT)


@pytest.mark.parametrize("much, word", [
    (dict(words=1401), "1,401 words"), (dict(cells=15), "15 cells"), (dict(lines=110), "111 lines"), (dict(folds=8), "8 folds"), (dict(folds=4), "4 predictions"),
])
def test_what_is_beyond_the_contract_is_named(much, word):
    found = list(beyond_contract(chapter(**much)))
    assert len(found) == 1 and word in found[0]
