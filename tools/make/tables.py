"""Measured tables in a file of data/: which are asked for, each run stored when it is done.

The notebooks show the numbers as short tables, and tests of the chapters hold the two together.
"""

import itertools
import json
import sys
import time


def read(path):
    """Return what a file holds, {table: its entry}; empty if there is no such file yet."""
    return json.loads(path.read_text()) if path.exists() else {}


def written(value, inside=0):
    """Return JSON whose innermost lists and short dicts keep to a line."""
    line = json.dumps(value)
    if not isinstance(value, dict) or len(line) + inside < 100:
        return line
    pad = "\n" + " " * (inside + 1)
    rows = [f"{json.dumps(str(key))}: {written(entry, inside + 1)}" for key, entry in value.items()]
    return "{" + pad + ("," + pad).join(rows) + pad[:-1] + "}"


def write(path, value):
    """Write a value as JSON; whoever is killed meanwhile loses nothing."""
    half = path.with_suffix(".half")
    half.write_text(written(value) + "\n")
    half.replace(path)


def versions():
    """Return the versions of TensorFlow and Keras."""
    import keras
    import tensorflow as tf

    return {"tensorflow": tf.__version__, "keras": keras.__version__}


def store(path, table, entry):
    """Write `entry` under its name beside the others of `path`, behind versions()."""
    write(path, dict(sorted((read(path) | {table: versions() | entry}).items())))


def sweep(names, rates, seeds):
    """Return {name of a run: (name, rate, seed)} of all of them."""
    return {f"{name}, rate {rate:g}, seed {seed}": (name, rate, seed)
            for name, rate, seed in itertools.product(names, rates, seeds)}


def finish(path, table, wanted, measure, about):
    """Measure the runs {run: arguments of measure()} of a table, and store each when it is done.

    An interrupted table is finished, a whole one is made anew; `about` says how it was measured.
    Return {run: what measure() found}.
    """
    import keras

    runs = read(path).get(table, {}).get("runs", {})
    runs = {} if wanted.keys() <= runs.keys() else {run: runs[run] for run in wanted if run in runs}
    for run, arguments in wanted.items():
        if run not in runs:
            begin = time.process_time()
            runs[run] = measure(*arguments)
            keras.backend.clear_session()  # its networks are done with
            shown = runs[run]
            if isinstance(shown, dict):
                shown = {key: value for key, value in shown.items() if not isinstance(value, list)}
            print(table, run, shown, f"{time.process_time() - begin:.0f} CPU s", flush=True)
            store(path, table, about | {"runs": runs})
    return runs


def asked_for(tables):
    """Return the tables that the command line names: all where it names none."""
    names = sys.argv[1:] or list(tables)
    if set(names) - set(tables):
        sys.exit(f"no such table: {sorted(set(names) - set(tables))}; there are {list(tables)}")
    return names
