"""Change solutions and checkers of the exercises a little, and see who notices.

    python -m tools.mutate [04 ...]        these chapters, or all; minutes for each

A solution with another operator, number or comparison is a wrong answer: its checker must refuse
it. A checker without one of its branches must be found out by its tests: by a wrong answer that no
longer hears its words, by nonsense, or by the right answer. Each change that nobody notices is
printed, and the command fails, unless tests/chapters/equivalent_mutants.txt lists it. Of the other
changes to checkers it tells the share that is noticed: most are sizes of random examples.
"""

import ast
import collections
import signal
import sys

import nbformat

from tools.book.checkers import TESTS, checkers, complaints, verdict_on, wrong_answers
from tools.book.definitions import definitions
from tools.book.tree import chapters

SECONDS = 60  # for one changed function; an endless loop counts as noticed
EQUIVALENT = TESTS / "equivalent_mutants.txt"
OPERATORS = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.Mult,
             ast.FloorDiv: ast.Div, ast.Mod: ast.Mult, ast.Pow: ast.Mult,
             ast.And: ast.Or, ast.Or: ast.And, ast.USub: ast.UAdd}
COMPARISONS = {ast.Lt: [ast.LtE, ast.GtE], ast.LtE: [ast.Lt, ast.Gt],
               ast.Gt: [ast.GtE, ast.LtE], ast.GtE: [ast.Gt, ast.Lt],
               ast.Eq: [ast.NotEq], ast.NotEq: [ast.Eq], ast.Is: [ast.IsNot],
               ast.IsNot: [ast.Is], ast.In: [ast.NotIn], ast.NotIn: [ast.In]}


class Endless(BaseException):
    """A changed function does not come to an end."""


def changes(node):
    """Yield (attribute, another value) for each small change of this one node."""
    if isinstance(node, (ast.BinOp, ast.BoolOp, ast.UnaryOp)) and type(node.op) in OPERATORS:
        yield "op", OPERATORS[type(node.op)]()
    if isinstance(node, ast.Compare):
        for other in COMPARISONS.get(type(node.ops[0]), []):
            yield "ops", [other(), *node.ops[1:]]
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        yield from (("value", node.value + step) for step in (1, -1))
    if isinstance(node, ast.If):
        yield "test", ast.Constant(False)
    if isinstance(node, ast.IfExp):
        yield "test", ast.UnaryOp(ast.Not(), node.test)


def mutants(tree):
    """Change `tree` in one place after another; yield (kind, the changed statement) each time.

    The kind is "branch" where an `if` never holds, else "detail". The tree stays changed until the
    next one is asked for.
    """
    statements = [node for node in ast.walk(tree) if isinstance(node, ast.stmt)]
    for statement in statements:
        for node in own_nodes(statement):
            for attribute, value in changes(node):
                before = getattr(node, attribute)
                setattr(node, attribute, value)
                ast.fix_missing_locations(tree)
                kind = "branch" if isinstance(node, ast.If) else "detail"
                condition = f"if {ast.unparse(before)} -> " if kind == "branch" else ""
                yield kind, condition + ast.unparse(statement).splitlines()[0]
                setattr(node, attribute, before)


def own_nodes(node):
    """Yield `node` and what it holds, without the statements inside it."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.stmt):
            yield from own_nodes(child)


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
                used = {node.id for k in kept for node in ast.walk(k) if isinstance(node, ast.Name)}
                if defined(statement) & used:
                    kept.insert(0, statement)
            yield call.func.id, ast.fix_missing_locations(ast.Module(kept, []))


def defined(statement):
    """Return the names that a top-level statement defines, if it is a function or an assignment."""
    if isinstance(statement, ast.FunctionDef):
        return {statement.name}
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    return {node.id for target in targets for node in ast.walk(target)
            if isinstance(node, ast.Name)}


def run(tree, number):
    """Run a module inside the definitions of a chapter; return all names."""
    space = dict(definitions(number))
    exec(compile(tree, "mutant", "exec"), space)
    return space


def accepted(name, solution, number):
    """Say whether the checker accepts the answer of a changed solution, or breaks down on it."""
    space = run(solution, number)
    return not verdict_on(space["answer"], space[name]).startswith("Not yet: ")


def unsuspected(name, node, number, right, wrong):
    """Say whether a changed checker passes its tests."""
    check = run(ast.Module([node], []), number)[name]
    return check(right).startswith("Correct") and not any(complaints(check, wrong))


def unnoticed(test, *arguments):
    """Say whether `test` holds; an exception or an endless loop would be noticed."""
    signal.alarm(SECONDS)
    try:
        return test(*arguments)
    except (Exception, Endless):
        return False
    finally:
        signal.alarm(0)


def survivors(notebook, tally):
    """Yield what nobody notices in a chapter, one line each, and count in `tally`."""
    number, right = notebook.name[:2], {}
    for name, solution in solutions(notebook):
        right[name] = run(solution, number)["answer"]
        for _, text in mutants(solution):
            alive = unnoticed(accepted, name, solution, number)
            tally["solutions", alive] += 1
            if alive:
                yield f"{number} solution of {name}: {text}"
    wrong = wrong_answers(notebook)
    for name, node in checkers(notebook).items():
        for kind, text in mutants(node):
            alive = unnoticed(unsuspected, name, node, number, right[name], wrong[name])
            tally[kind, alive] += 1
            if alive and kind == "branch":
                yield f"{number} {name}: {text}"


def main(numbers):
    """Mutate the chapters with these numbers; return how many survivors are new."""
    signal.signal(signal.SIGALRM, stop)
    known = set(EQUIVALENT.read_text(encoding="utf-8").splitlines())
    new = 0
    for notebook in chapters():
        if numbers and notebook.name[:2] not in numbers:
            continue
        tally, found = collections.Counter(), []
        for line in survivors(notebook, tally):
            found.append(line)
            if line not in known:
                new += 1
                print(line, flush=True)
        shares = [f"{kind} {tally[kind, False]} of {tally[kind, False] + tally[kind, True]}"
                  for kind in ("solutions", "branch", "detail")]
        print(f"{notebook.stem}: noticed {', '.join(shares)}", flush=True)
        for line in known - set(found):
            if line.startswith(notebook.name[:2]):
                new += 1
                print(f"{EQUIVALENT.name} lists what is noticed now: {line}")
    return new


def stop(number, frame):
    raise Endless


if __name__ == "__main__":
    sys.exit(min(main(sys.argv[1:]), 1))
