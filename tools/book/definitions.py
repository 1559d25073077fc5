"""The definitions of a notebook, taken out of it without running the rest."""

import ast
import contextlib
import functools

import nbformat

from tools.book.files import find_notebook


@functools.cache
def definitions(number):
    """Return what a chapter defines at top level: imports, functions, classes, CAPITALS; a dict.

    Cells run in order; solutions are left out, and so is every other statement. A function that
    needs more than that cannot be taken out of its notebook by a reader either.
    """
    path = find_notebook(number)
    namespace = {"__name__": path.stem}
    with contextlib.chdir(path.parent):  # a notebook's kernel starts there
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "code" and not cell.source.startswith("# @title Solution"):
                body = [node for node in ast.parse(cell.source).body if keep(node)]
                exec(compile(ast.Module(body, []), path.name, "exec"), namespace)
    return namespace


def keep(node):
    """Say whether `definitions` keeps this top-level statement."""
    if isinstance(node, ast.Assign):
        found = [n for target in node.targets for n in ast.walk(target) if isinstance(n, ast.Name)]
        return bool(found) and all(n.id.isupper() and len(n.id) > 1 for n in found)  # W is a size
    return isinstance(node, (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef))
