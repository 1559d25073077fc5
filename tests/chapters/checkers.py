"""The checkers of the exercises: what they are, and what they must say."""

import ast
import re
import runpy
from pathlib import Path

import nbformat
from nonsense import NONSENSE, raises

FOLDER = Path(__file__).parent


def checkers(notebook):
    """Return the checkers of the chapter at this path: {name: its ast.FunctionDef}."""
    cells = [cell.source for cell in nbformat.read(notebook, as_version=4).cells
             if cell.cell_type == "code" and not cell.source.startswith("# @title Solution")]
    nodes = [node for source in cells for node in ast.parse(source).body]
    return {node.name: node for node in nodes
            if isinstance(node, ast.FunctionDef) and node.name.startswith("check_")}


def wrong_answers(notebook):
    """Return {checker: {words of a sentence: [the answers that must get it]}} of a chapter."""
    path = FOLDER / "wrong_answers" / f"{notebook.stem}.py"
    return runpy.run_path(str(path))["WRONG"]


def verdict_on(answer, check):
    """Return what a checker says to an answer; an exception, which it should not raise, as text."""
    try:
        return check(answer)
    except Exception as error:
        return repr(error)


def complaints(check, wrong):
    """Yield what is wrong with the verdicts of a checker on its wrong answers and on nonsense."""
    takes_functions = all(map(callable, sum(wrong.values(), [])))
    for words, answers in wrong.items():
        for answer in answers:
            verdict = verdict_on(answer, check)
            if not re.match(r"Not yet: .{10,}", verdict) or words not in verdict:
                yield f"{verdict!r} to {answer!r}, which must hear {words!r}"
    for answer in NONSENSE:
        verdict = verdict_on(answer, check)
        if not re.match(r"Not yet: .{10,}", verdict):
            yield f"{verdict!r} to the nonsense {answer!r}"
        if answer is raises and takes_functions and "KeyError" not in verdict:
            yield f"{verdict!r} to a function that raises KeyError(3)"
