"""The mutator and the complaints about checkers, on one tiny checker."""

import ast

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from tools import mutate
from tools.book.checkers import complaints

CHECKER = '''
def check_three(answer):
    if not isinstance(answer, int):
        return f"Not yet: {answer} is no number."
    if answer == 4:
        return "Not yet: that is one too many."
    if answer != 3:
        return "Not yet: count again, please."
    return "Correct: three."
'''
WRONG = {"is no number": ["3"], "one too many": [4], "count again": [2, 5, 100]}


def check_of(source):
    space = {}
    exec(source, space)
    return space["check_three"]


def test_a_good_checker_gets_no_complaint():
    assert list(complaints(check_of(CHECKER), WRONG)) == []


@pytest.mark.parametrize("old, new", [
    ("answer != 3", "answer > 3"),  # accepts a wrong answer
    ("answer == 4", "False"),  # says something else to it
    ("not isinstance(answer, int)", "answer is None"),  # says something else to "3"
    ("Not yet: count again, please", "count again"),
])
def test_a_bad_checker_gets_a_complaint(old, new):
    assert old in CHECKER
    assert list(complaints(check_of(CHECKER.replace(old, new)), WRONG))


def test_a_checker_that_hides_the_readers_error_gets_a_complaint():
    def check(function):
        try:
            function()
        except Exception:
            return "Not yet: that does not work."
        return "Not yet: it works, but wrongly."

    assert list(complaints(check, {"wrongly": [lambda: 1]}))


def test_mutants_change_one_place_and_put_it_back():
    tree = ast.parse("def f(a):\n    if a < 2 and g(a):\n        return a + 1\n    return -a")
    before = ast.unparse(tree)
    found = {(kind, text) for kind, text in mutate.mutants(tree)}
    assert ast.unparse(tree) == before
    assert found == {
        ("branch", "if a < 2 and g(a) -> if False:"),
        ("detail", "if a <= 2 and g(a):"), ("detail", "if a >= 2 and g(a):"),
        ("detail", "if a < 3 and g(a):"), ("detail", "if a < 1 and g(a):"),
        ("detail", "if a < 2 or g(a):"),
        ("detail", "return a - 1"), ("detail", "return a + 2"), ("detail", "return a + 0"),
        ("detail", "return +a"),
    }


@pytest.fixture
def found(tmp_path, monkeypatch, capsys):
    """A function: what the mutator prints and counts in a book of this one exercise."""
    def mutated(solution, wrong, equivalent=""):
        notebook, known = tmp_path / "99_tiny.ipynb", tmp_path / "equivalent.txt"
        cells = [new_code_cell(CHECKER), new_code_cell(f"# @title Solution\n{solution}")]
        nbformat.write(new_notebook(cells=cells), notebook)
        known.write_text(equivalent)
        monkeypatch.setattr(mutate, "chapters", lambda: [notebook])
        monkeypatch.setattr(mutate, "EQUIVALENT", known)
        monkeypatch.setattr(mutate, "wrong_answers", lambda notebook: {"check_three": wrong})
        monkeypatch.setattr(
            mutate, "definitions", lambda number: {"check_three": check_of(CHECKER)})
        new = mutate.main([])
        return new, capsys.readouterr().out
    return mutated


def test_where_each_sentence_has_its_wrong_answer_nothing_survives(found):
    new, told = found('assert check_three(3).startswith("Correct")', WRONG)
    assert new == 0
    assert told == "99_tiny: noticed solutions 2 of 2, branch 3 of 3, detail 6 of 6\n"


SURVIVOR = "99 check_three: if answer == 4 -> if False:"


def test_a_sentence_that_nobody_hears_survives_unless_it_is_known(found):
    solution = 'assert check_three(3).startswith("Correct")'
    new, told = found(solution, {"is no number": ["3"], "count again": [2, 5]})
    assert new == 1 and told.startswith(SURVIVOR)
    new, told = found(solution, {"is no number": ["3"], "count again": [2, 5]}, SURVIVOR)
    assert new == 0 and SURVIVOR not in told
    new, told = found(solution, WRONG, SURVIVOR)  # the list is out of date
    assert new == 1 and told.endswith(f"{SURVIVOR}\n")


def test_a_solution_that_the_checker_accepts_survives(found):
    solution = """
spare = 7

def three(start=1):
    return 2 + min(start, 1)

assert spare
assert check_three(three()).startswith("Correct")"""
    new, told = found(solution, WRONG)
    assert new == 2, told  # nothing uses what is spare
    assert "99 solution of check_three: def three(start=2):" in told
    assert "99 solution of check_three: return 2 + min(start, 2)" in told


def test_a_change_that_never_ends_is_noticed(found, monkeypatch):
    monkeypatch.setattr(mutate, "SECONDS", 1)
    solution = """
def three():
    n = 0
    while n != 3:
        n = n + 1
    return n

assert check_three(three()).startswith("Correct")"""
    new, told = found(solution, WRONG)
    assert "n = n - 1" not in told
