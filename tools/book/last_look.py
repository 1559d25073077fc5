"""The test set is looked at once, last: no cell that trains comes after one that judges by it.

Found by names; nothing is run. Who judges needs labels, so a cell looks where it reads the test's
labels, or what was made of them, beyond their number or a single one as a title.
"""

import ast
import builtins

LEARN = {"fit", "train_on_batch", "apply", "apply_gradients", "assign", "assign_sub", "lstsq",
         "solve"}
LOADERS, COUNTS = {"load_mnist", "load_data"}, {"len", "bincount", "unique"}


def looks_too_early(cells):
    """Yield the complaints about the code cells (number, statements) of a chapter."""
    tested, judges, trainers, first = set(), set(), set(), None  # names so far; the cell that looks
    for index, statements in cells:
        late = peeks = chooses = False
        for node in statements:
            given, read, stored = labels_of_test(node), reads(node), names(node, ast.Store)
            learning = [n for n in ast.walk(node) if called(n) in LEARN | trainers]
            looks = read & (tested | judges)
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                judges |= {node.name} if looks or given else set()
                trainers |= {node.name} if learning else set()
                continue
            late |= bool(learning and first and first < index)
            chooses |= any(picks(part) and reads(part) & (tested | judges | given)
                           for part in ast.walk(node))
            peeks |= any(called(call) in LEARN and reads(call) & tested for call in learning)
            if looks and not (isinstance(node, ast.Assign) and prepares(node, tested)):
                first = first or index
            tested = tested - stored | given | (stored if looks else set())
            trainers |= stored if learning and isinstance(node, ast.Assign) else set()
        if late:
            yield (f"cell {index}: trains, and cell {first} has looked at the test set. Compare on "
                   "held-back images of the training set; test once, last.")
        if peeks:
            yield f"cell {index}: looks at the test set while it trains."
        if chooses:
            yield f"cell {index}: chooses by the test set. Choose on held-back images."


def labels_of_test(node):
    """Return the names to which `node`, or a part of it, gives the test's labels by a loader."""
    found = set()
    for part in ast.walk(node):
        if isinstance(part, ast.Assign) and LOADERS & {*map(called, ast.walk(part.value))}:
            last = part.targets[0]
            while isinstance(last, ast.Tuple):
                last = last.elts[-1]
            found |= names(last, ast.Store)
    return found - {"_"}


def called(node):
    """Return the last name of the function that `node` calls, "" where it calls none."""
    function = getattr(node, "func", None)
    return getattr(function, "attr", "") or getattr(function, "id", "")


def picks(node):
    """Say whether `node` picks the best of several: the one with the best key, or its place.

    Along an axis, it picks an answer for each row.
    """
    if called(node) in {"min", "max", "sorted"}:
        return any(keyword.arg == "key" for keyword in node.keywords)
    values = reads(node.func) <= {"np", "tf"} if called(node) in {"argmin", "argmax"} else None
    return values is not None and len(node.args) + len(node.keywords) == values


def names(node, context):
    """Return the names in `node` that it loads or stores; to store an element stores the name."""
    found = [n for n in ast.walk(node) if isinstance(getattr(n, "ctx", None), context)]
    found = [n.value if isinstance(n, ast.Subscript) else n for n in found]
    return {n.id for n in found if isinstance(n, ast.Name)}


def reads(node):
    """Return the names that `node` reads from outside, but for a length, a shape, one element."""
    if called(node) in COUNTS or getattr(node, "attr", "") in {"shape", "size", "dtype"} or (
            isinstance(node, ast.Subscript) and isinstance(getattr(node.slice, "value", ""), int)):
        return set()
    found = names(node, ast.Load) if isinstance(node, ast.Name) else set().union(
        *map(reads, ast.iter_child_nodes(node)))
    if isinstance(node, (ast.FunctionDef, ast.Lambda)):
        found -= {n.arg for n in ast.walk(node) if isinstance(n, ast.arg)} | names(node, ast.Store)
    return found


def prepares(node, tested):
    """Say whether `node` only cuts or converts: it reads no network and no answers."""
    known = tested | {"np", "tf", "keras", "prepare", *dir(builtins)}
    return all(name in known or "test" in name for name in reads(node))
