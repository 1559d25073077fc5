"""The core path of a chapter, measured: all before the summary that is not folded."""

import re

import nbformat

COLUMNS = ["words", "cells", "lines", "folds"]
CONTRACT = [1400, 14, 110, 7]  # at most
FEWEST_FOLDS = 5  # predictions


def core_path(cells):
    """Return the (words, visible code cells, their lines, folds) of the core path of `cells`."""
    parts = list(in_core(cells))
    text = "\n".join(block for cell, block in parts if cell.cell_type == "markdown")
    code = [cell.source for cell, _ in parts if cell.cell_type == "code" and is_visible(cell)]
    words = re.findall(r"\w+", re.sub(r"(?s)<details.*?</details>", "", text))
    return len(words), len(code), len("\n".join(code).splitlines()), text.count("<details")


def beyond_contract(cells):
    """Yield what is too much, or too little, in the core path of a chapter."""
    found = core_path(cells)
    for what, number, limit in zip(COLUMNS, found, CONTRACT, strict=True):
        if number > limit:
            yield (f"its core path has {number:,} {what}, more than {limit:,}: fold some, or put "
                   "them under a heading `Go deeper: ...`.")
    if found[3] < FEWEST_FOLDS:
        yield f"its core path has {found[3]} predictions, fewer than {FEWEST_FOLDS}."


def in_core(cells):
    """Yield (cell, its text or a section of it) up to the summary, without what goes deeper."""
    deeper = 0  # the level of the heading under which all goes deeper
    for cell in cells:
        code = cell.cell_type == "code"
        for block in [cell.source] if code else re.split(r"(?m)^(?=#{1,6} )", cell.source):
            heading = None if code else re.match(r"(#+) (Summary|Go deeper)?", block)
            if heading and heading[2] == "Summary":
                return
            if heading and heading[2]:
                deeper = len(heading[1])
            elif heading and len(heading[1]) <= deeper:
                deeper = 0
            if not deeper:
                yield cell, block


def is_visible(cell):
    return not any(tag.startswith(("hide-", "remove-")) for tag in cell.metadata.get("tags", []))


def print_table(paths):
    """Print the core path of each chapter under the contract's limits; a star is too much."""
    print(f"{'core path':34}" + "".join(f"{name:>9}" for name in COLUMNS))
    print(f"{'at most':34}" + "".join(f"{limit:9,}" for limit in CONTRACT))
    for path in paths:
        found = core_path(nbformat.read(path, as_version=4).cells)
        print(f"{path.stem:34}" + "".join(
            f"{number:8,}{'*' if number > limit else ' '}"
            for number, limit in zip(found, CONTRACT, strict=True)))
