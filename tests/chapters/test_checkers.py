"""A checker that accepts a wrong answer is worse than none; so is one that says the wrong thing.

Each is fed nonsense.py and its wrong answers, sorted by words of the sentence that they must get.
That it accepts the right answer is asserted by the solution in the notebook, which `pytest --nbval`
runs. mutants.py asks whether these wrong answers suffice.
"""

import ast
import sys

import pytest
from checkers import FOLDER, checkers, complaints, wrong_answers
from nonsense import NONSENSE

from tools.book.definitions import definitions
from tools.book.files import chapters

each_chapter = pytest.mark.parametrize("notebook", chapters(), ids=lambda path: path.stem)


@each_chapter
def test_each_checker_has_wrong_answers(notebook):
    wrong = wrong_answers(notebook)
    assert checkers(notebook).keys() == wrong.keys(), "each checker, and nothing else"
    for name, groups in wrong.items():
        assert len(sum(groups.values(), [])) >= 3, f"{name}: three wrong answers at least"


@each_chapter
def test_checkers_tell_what_is_wrong(notebook):
    names = definitions(notebook.name[:2])
    wrong = wrong_answers(notebook)
    found = [f"{name}: {what}" for name in wrong for what in complaints(names[name], wrong[name])]
    assert not found, "\n".join(found)


@each_chapter
def test_every_sentence_is_said(notebook):
    """A wrong answer or nonsense reaches each `return` but the one that says Correct."""
    names, wrong = definitions(notebook.name[:2]), wrong_answers(notebook)
    for name, node in checkers(notebook).items():
        reached = lines_reached(names[name], [*sum(wrong[name].values(), []), *NONSENSE])
        for sentence in ast.walk(node):
            if isinstance(sentence, ast.Return) and "Correct" not in ast.unparse(sentence):
                lines = range(sentence.lineno, sentence.end_lineno + 1)
                assert reached & set(lines), f"{name}: nobody hears {ast.unparse(sentence)}"


def lines_reached(function, answers):
    """Return the numbers of the lines of `function` that ran with one of the answers."""
    reached = set()

    def trace(frame, event, argument):
        if frame.f_code is function.__code__:
            reached.add(frame.f_lineno)
            return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        for answer in answers:
            function(answer)
    finally:
        sys.settrace(before)
    return reached


def test_no_wrong_answers_without_a_chapter():
    files = {path.stem for path in (FOLDER / "wrong_answers").glob("*.py")}
    assert files == {path.stem for path in chapters()}
