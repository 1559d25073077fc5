"""Change solutions and checkers of the exercises a little, and see who notices.

    python -m pytest -o addopts="" tests/chapters/mutants.py            minutes for each chapter
    python -m pytest -o addopts="" tests/chapters/mutants.py -k 04      only that one

A solution with another operator, number or comparison is a wrong answer: its checker must refuse
it. A checker without one of its branches must be found out by its tests: by a wrong answer that no
longer hears its words, by nonsense, or by the right answer. What nobody notices must stand in
equivalent_mutants.txt, and nothing else.
"""

import ast
import contextlib
import signal

import nbformat
import pytest
from checkers import FOLDER, checkers, complaints, verdict_on, wrong_answers

from tools.book.definitions import definitions
from tools.book.files import chapters

SECONDS = 60  # for one changed function; an endless loop counts as noticed
EQUIVALENT = (FOLDER / "equivalent_mutants.txt").read_text(encoding="utf-8").splitlines()
OPERATORS = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.Mult,
             ast.FloorDiv: ast.Div, ast.Mod: ast.Mult, ast.Pow: ast.Mult,
             ast.And: ast.Or, ast.Or: ast.And, ast.USub: ast.UAdd}
COMPARISONS = {ast.Lt: [ast.LtE, ast.GtE], ast.LtE: [ast.Lt, ast.Gt],
               ast.Gt: [ast.GtE, ast.LtE], ast.GtE: [ast.Gt, ast.Lt],
               ast.Eq: [ast.NotEq], ast.NotEq: [ast.Eq], ast.Is: [ast.IsNot],
               ast.IsNot: [ast.Is], ast.In: [ast.NotIn], ast.NotIn: [ast.In]}


@pytest.mark.parametrize("notebook", chapters(), ids=lambda path: path.stem)
def test_every_change_is_noticed(notebook):
    found = set(survivors(notebook))
    assert found == {line for line in EQUIVALENT if line.startswith(notebook.name[:2])}


def survivors(notebook):
    """Yield what nobody notices in a chapter, one line each."""
    number, right = notebook.name[:2], {}
    for name, solution in solutions(notebook):
        right[name] = run(solution, number)["answer"]
        for text in mutants(solution, small_changes):
            if survives(accepted, name, solution, number):
                yield f"{number} solution of {name}: {text}"
    wrong = wrong_answers(notebook)
    for name, checker in checkers(notebook).items():
        for text in mutants(checker, lost_branch):
            if survives(unsuspected, name, checker, number, right[name], wrong[name]):
                yield f"{number} {name}: {text}"


# --- changes --------------------------------------------------------------------------------------

def small_changes(node):
    """Yield (attribute, another value) for each small change of this one node."""
    if isinstance(node, (ast.BinOp, ast.BoolOp, ast.UnaryOp)) and type(node.op) in OPERATORS:
        yield "op", OPERATORS[type(node.op)]()
    if isinstance(node, ast.Compare):
        for other in COMPARISONS.get(type(node.ops[0]), []):
            yield "ops", [other(), *node.ops[1:]]
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        yield from (("value", node.value + step) for step in (1, -1))
    if isinstance(node, ast.IfExp):
        yield "test", ast.UnaryOp(ast.Not(), node.test)
    yield from lost_branch(node)


def lost_branch(node):
    """Yield the change by which an `if` never holds."""
    if isinstance(node, ast.If):
        yield "test", ast.Constant(False)


def mutants(tree, changes):
    """Change `tree` in one place after another; yield the changed statement's first line each time.

    The tree stays changed until the next one is asked for.
    """
    statements = [node for node in ast.walk(tree) if isinstance(node, ast.stmt)]
    for statement in statements:
        for node in own_nodes(statement):
            for attribute, value in changes(node):
                before = getattr(node, attribute)
                setattr(node, attribute, value)
                ast.fix_missing_locations(tree)
                condition = f"if {ast.unparse(before)} -> " if isinstance(node, ast.If) else ""
                yield condition + ast.unparse(statement).splitlines()[0]
                setattr(node, attribute, before)


def own_nodes(node):
    """Yield `node` and what it holds, without the statements inside it."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.stmt):
            yield from own_nodes(child)


# --- solutions ------------------------------------------------------------------------------------

def solutions(notebook):
    """Yield (checker, ast.Module that sets `answer`) for each solution of a chapter.

    Of the cell it keeps what the answer needs, and leaves its other assertions out.
    """
    for cell in nbformat.read(notebook, as_version=4).cells:
        if cell.cell_type == "code" and cell.source.startswith("# @title Solution"):
            tree = ast.parse(cell.source)
            call = next(node for node in ast.walk(tree) if isinstance(node, ast.Call)
                        and getattr(node.func, "id", "").startswith("check_"))
            kept = [ast.Assign([ast.Name("answer", ast.Store())], call.args[0])]
            for statement in reversed(tree.body):
                used = {name for part in kept for name in names_in(part)}
                if defined(statement) & used:
                    kept.insert(0, statement)
            yield call.func.id, ast.fix_missing_locations(ast.Module(kept, []))


def names_in(tree):
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def defined(statement):
    """Return the names that a top-level statement defines, if it is a function or an assignment."""
    if isinstance(statement, ast.FunctionDef):
        return {statement.name}
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    return {name for target in targets for name in names_in(target)}


# --- who notices ----------------------------------------------------------------------------------

class Endless(BaseException):
    """A changed function does not come to an end."""


def stop(number, frame):
    raise Endless


def survives(test, *arguments):
    """Say whether `test` holds; an exception or an endless loop would be noticed."""
    signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    with contextlib.suppress(Exception, Endless):
        try:
            return test(*arguments)
        finally:
            signal.alarm(0)
    return False


def run(tree, number):
    """Run a module inside the definitions of a chapter; return all names."""
    space = dict(definitions(number))
    exec(compile(tree, "mutant", "exec"), space)
    return space


def accepted(name, solution, number):
    """Say whether the checker accepts the answer of a changed solution, or breaks down on it."""
    space = run(solution, number)
    return not verdict_on(space["answer"], space[name]).startswith("Not yet: ")


def unsuspected(name, checker, number, right, wrong):
    """Say whether a changed checker passes its tests."""
    check = run(ast.Module([checker], []), number)[name]
    return check(right).startswith("Correct") and not any(complaints(check, wrong))
