"""The mutator and the complaints about checkers, on one tiny checker."""

import ast

import mutants
import nbformat
import pytest
from checkers import complaints
from nbformat.v4 import new_code_cell, new_notebook

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
    found = set(mutants.mutants(tree, mutants.small_changes))
    assert set(mutants.mutants(tree, mutants.lost_branch)) == {"if a < 2 and g(a) -> if False:"}
    assert ast.unparse(tree) == before
    assert found == {
        "if a < 2 and g(a) -> if False:",
        "if a <= 2 and g(a):", "if a >= 2 and g(a):", "if a < 3 and g(a):", "if a < 1 and g(a):",
        "if a < 2 or g(a):",
        "return a - 1", "return a + 2", "return a + 0", "return +a",
    }


@pytest.fixture
def survivors(tmp_path, monkeypatch):
    """A function: what survives in a chapter of this one exercise."""
    def survivors(solution, wrong):
        notebook = tmp_path / "99_tiny.ipynb"
        cells = [new_code_cell(CHECKER), new_code_cell(f"# @title Solution\n{solution}")]
        nbformat.write(new_notebook(cells=cells), notebook)
        monkeypatch.setattr(mutants, "wrong_answers", lambda notebook: {"check_three": wrong})
        monkeypatch.setattr(
            mutants, "definitions", lambda number: {"check_three": check_of(CHECKER)})
        return list(mutants.survivors(notebook))
    return survivors


SOLUTION = 'assert check_three(3).startswith("Correct")'


def test_where_each_sentence_has_its_wrong_answer_nothing_survives(survivors):
    assert survivors(SOLUTION, WRONG) == []


def test_a_sentence_that_nobody_hears_survives(survivors):
    found = survivors(SOLUTION, {"is no number": ["3"], "count again": [2, 5]})
    assert found == ["99 check_three: if answer == 4 -> if False:"]


def test_a_solution_that_the_checker_accepts_survives(survivors):
    solution = """
spare = 7

def three(start=1):
    return 2 + min(start, 1)

assert spare
assert check_three(three()).startswith("Correct")"""
    assert survivors(solution, WRONG) == [  # nothing uses what is spare
        "99 solution of check_three: def three(start=2):",
        "99 solution of check_three: return 2 + min(start, 2)",
    ]


def test_a_change_that_never_ends_is_noticed(survivors, monkeypatch):
    monkeypatch.setattr(mutants, "SECONDS", 1)
    solution = """
def three():
    n = 0
    while n != 3:
        n = n + 1
    return n

assert check_three(three()).startswith("Correct")"""
    assert not any("n = n - 1" in line for line in survivors(solution, WRONG))
