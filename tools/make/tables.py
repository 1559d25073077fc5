"""Measured tables in a file of data/: which are asked for, each run stored when it is done."""

import json
import sys
import time


def read(path):
    """Return {table: its entry}, empty if there is no such file yet."""
    return json.loads(path.read_text()) if path.exists() else {}


def store(path, table, entry):
    """Write `entry` under its name beside the others of `path`: what is in its "runs", a line each.

    The versions of TensorFlow and Keras that it was measured with go in front.
    """
    import keras
    import tensorflow as tf

    versions = {"tensorflow": tf.__version__, "keras": keras.__version__}
    lines = []
    for name, about in sorted((read(path) | {table: versions | entry}).items()):
        head = json.dumps({key: value for key, value in about.items() if key != "runs"})
        if "runs" in about:
            runs = ",\n".join(f"  {json.dumps(run)}: {json.dumps(found, separators=(',', ':'))}"
                              for run, found in about["runs"].items())
            head = f'{head[:-1]}, "runs": {{\n{runs}}}}}'
        lines.append(f" {json.dumps(name)}: {head}")
    half = path.with_suffix(".half")  # whoever is killed while writing loses nothing
    half.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    half.replace(path)


def finish(path, table, wanted, measure, about):
    """Measure the runs {run: arguments of measure()} of a table, and store each when it is done.

    An interrupted table is finished, a whole one is made anew; `about` says how it was measured.
    """
    runs = read(path).get(table, {}).get("runs", {})
    runs = {} if wanted.keys() <= runs.keys() else {run: runs[run] for run in wanted if run in runs}
    for run, arguments in wanted.items():
        if run not in runs:
            begin = time.process_time()
            runs[run] = measure(*arguments)
            shown = runs[run]
            if isinstance(shown, dict):
                shown = {key: value for key, value in shown.items() if not isinstance(value, list)}
            print(table, run, shown, f"{time.process_time() - begin:.0f} CPU s", flush=True)
            store(path, table, about | {"runs": runs})


def asked_for(tables):
    """Return the tables that the command line names: all where it names none."""
    names = sys.argv[1:] or list(tables)
    if set(names) - set(tables):
        sys.exit(f"no such table: {sorted(set(names) - set(tables))}; there are {list(tables)}")
    return names
