"""What `lint --table` counts: the core path is all that a reader meets unfolded before the summary."""

from nbformat.v4 import new_code_cell, new_markdown_cell

from tools.book.core_path import core_path


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
