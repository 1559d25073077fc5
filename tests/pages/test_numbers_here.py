"""A number of the appendices that is this book's own follows the assertion that proves it, or the file that stores it."""

import json
import re

import nbformat
import numpy as np
import pytest
from conftest import ROOT, find_notebook
from from_chapters import assertions

CURVES = json.loads((ROOT / "data" / "curves.json").read_text())
PAGES = {path.name: path.read_text(encoding="utf-8") for path in [*(ROOT / "book").glob("*.md"), ROOT / "README.md"]}
# {page: {words with {} for a number: where it comes from}}: a path into curves.json, or a chapter and a pattern of its assertion.
HERE = {
    "errata.md": {
        "{} in place of {} after one epoch here": [("one_epoch", "summary", "std 1, rate 0.001", "on", "mean"), ("one_epoch", "summary", "std 1, rate 0.001", "off", "mean")],
        "starts far above {} here": [("13", r"(1\d_000) < loss")],
    },
    "sources.md": {"{} of those steps reach {} here": [("sgd", "points", 3, "step"), ("sgd", "points", 3, "accuracy")]},
}
CASES = [(page, words) for page in HERE for words in HERE[page]]


def asserted(number):
    """Return what a chapter asserts, one assertion a line."""
    cells = nbformat.read(find_notebook(number), as_version=4).cells
    return "\n".join(" ".join(line.split()) for cell in cells if cell.cell_type == "code" for line in assertions(cell.source))


def number(source):
    """Return the number that a source of HERE holds, as the pages write it."""
    if source[0].isdigit():
        found = re.search(source[1], asserted(source[0]))
        assert found, f"chapter {source[0]} asserts nothing like {source[1]}"
        return f"{int(found[1].replace('_', '')):,}"
    value = CURVES
    for key in source:
        value = value[key]
    return f"{value:,}" if isinstance(value, int) else f"{100 * value:.1f} %"


@pytest.mark.parametrize("page, words", CASES, ids=[words for _page, words in CASES])
def test_a_number_here_is_the_one_that_is_proved_or_stored(page, words):
    said = words.format(*map(number, HERE[page][words]))
    assert said in PAGES[page], f"{page} should say: {said}"


def test_every_number_here_has_a_source():
    found = []
    for page, text in PAGES.items():
        for sentence in re.split(r"(?<=[.!?]) | \| |\n", text):
            if re.search(r"\bhere\b", sentence, re.I) and re.search(r"\d[\d.,]* ?%|\d,\d{3}|\d\.\d", re.sub(r"`[^`]*`|TensorFlow [\d.]+", "", sentence)):
                found.append((page, sentence))
    patterns = [re.escape(words).replace(r"\{\}", r"[\d.,]+(?: %)?") for _page, words in CASES]
    assert len(found) == len(CASES) and all(any(re.search(p, sentence) for p in patterns) for _page, sentence in found), found


def shown():
    """Yield (chapter, what an erratum says to hold) for each row that a cell of a chapter shows."""
    for row in re.findall(r"(?m)^\| .+? \| (.+) \| (?:shown|.* shown) in \[chapter (\d+)\]", PAGES["errata.md"]):
        yield row[1], " ".join(part for part in re.split(r"(?<=\.) ", row[0]) if not re.search(r"\bhere\b", part))  # those are above


@pytest.mark.parametrize("chapter, words", list(shown()))
def test_the_numbers_of_an_erratum_stand_in_the_chapter_that_shows_it(chapter, words):
    code = asserted(f"{int(chapter):02}").replace("_", "")
    for value in re.findall(r"\d[\d,]*\.?\d+", re.sub(r"`[^`]*`|\$[^$]*\$", "", words)):
        plain = value.replace(",", "")
        if len(plain) > 3:
            assert re.search(rf"(?<![\d.]){re.escape(plain)}(?!\d)", code), f"chapter {chapter} asserts no {value}: {words}"


def test_the_turns_of_the_notation_bring_arrays_to_the_books_orders():
    """MATLAB's memory in NumPy: its first axis runs fastest, so a reader of files shows the axes in reverse."""
    rows = re.findall(r"(?m)^\| (\w.*?) \| (.*?) ?\| (.*?) ?\| `(.*?)` \| `(.*?)` \|$", PAGES["notation.md"].split("## Order the axes")[1])
    nhwc, hwio = np.arange(120).reshape(2, 4, 5, 3), np.arange(120).reshape(4, 5, 3, 2)
    assert len(rows) == 4
    for name, images, to_nhwc, weights, to_hwio in rows:
        for right, order, letters, turn in [(nhwc, "N H W C", images, to_nhwc), (hwio, "FH FW C K", weights, to_hwio)]:
            axes = re.findall(r"\w+", letters)
            given = right.transpose([order.split().index(axis) for axis in axes]) if axes else right
            assert not axes or np.array_equal(eval(turn.strip("`"), {"x": given, "w": given}), right), (name, turn)
            if "MATLAB" in name:
                matlabs = right if order[0] == "F" else right.transpose(1, 2, 3, 0)  # weights as HWIO, images as HWCN
                assert np.array_equal(given, np.frombuffer(matlabs.tobytes(order="F"), right.dtype).reshape(matlabs.shape[::-1]))
