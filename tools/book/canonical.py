"""The canonical form of a notebook: what one fresh run from top to bottom leaves, and nothing else.

Execution counts 1..n, no timestamps, only the metadata that means something here, and cell ids made
from the cell's text. So a cell edited since the last run is seen without running it: its id no
longer fits. What an author wrote is never dropped: where it has no place, `canonical` refuses.
"""

import copy
import hashlib
import re

import nbformat

KEPT = {"tags", "mystnb", "cellView"}
FOLD = "jp-MarkdownHeadingCollapsed"  # JupyterLab's; Colab has a list of ids in the notebook
# What editors write by themselves, or `canonical` writes anew.
NOISE = {"ExecuteTime", "collapsed", "colab", "editable", "execution", "executionInfo", "id",
         "jupyter", "lines_to_next_cell", "outputId", "pycharm", "scrolled", "trusted", "vscode"}
NOTEBOOK_NOISE = {"accelerator", "colab", "jupytext", "kernelspec", "language_info",
                  "orig_nbformat", "toc", "vscode", "widgets"}


def cell_ids(cells):
    """Return the id of each cell: a digest of its kind and text, with a number if it repeats."""
    texts = [f"{cell.cell_type}\n{cell.source}".encode() for cell in cells]
    digests = [hashlib.sha256(text).hexdigest()[:8] for text in texts]
    earlier = [digests[:index].count(digest) for index, digest in enumerate(digests)]
    return [digest + f"-{count + 1}" * (count > 0)
            for digest, count in zip(digests, earlier, strict=True)]


def is_deeper(cell):
    """Say whether a cell begins a section that stands folded: a heading "Go deeper: ..."."""
    return cell.cell_type == "markdown" and bool(re.match(r"#{2,6} Go deeper\b", cell.source))


def losses(notebook):
    """Return what the canonical form has no place for: a list of sentences."""
    found = [f"its metadata {key!r} has no place in the canonical form: delete it."
             for key in sorted(notebook.metadata.keys() - NOTEBOOK_NOISE)]
    for index, cell in enumerate(notebook.cells, 1):
        metadata = sorted(cell.metadata.keys() - KEPT - NOISE - {FOLD})
        if cell.cell_type == "raw":
            found.append(f"cell {index} is raw, which no reader sees: make it Markdown or code.")
        elif metadata:
            found.append(f"cell {index} has metadata of no use here: delete {', '.join(metadata)}.")
        if cell.get("attachments"):
            found.append(f"cell {index} has an attachment ({', '.join(cell.attachments)}), "
                         "which Colab loses: draw the picture in a code cell.")
    return found


def canonical(notebook):
    """Return the canonical text of `notebook` (nbformat 4.5) as a string that ends in a newline.

    Raises ValueError when that would lose something that an author wrote.
    """
    if losses(notebook):
        raise ValueError(" ".join(losses(notebook)))
    notebook = copy.deepcopy(notebook)
    for cell in notebook.cells:
        cell.source = cell.source.strip("\n")
    for cell, identity in zip(notebook.cells, cell_ids(notebook.cells), strict=True):
        cell.id = identity
        cell.metadata = {key: cell.metadata[key] for key in sorted(KEPT & cell.metadata.keys())}
        cell.pop("attachments", None)  # an empty one
        if is_deeper(cell):
            cell.metadata[FOLD] = True
        for output in cell.get("outputs", []):
            if "metadata" in output:
                output.metadata = {}
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    folded = [cell.id for cell in notebook.cells if is_deeper(cell)]
    if folded:
        notebook.metadata["colab"] = {"collapsed_sections": folded}
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return nbformat.writes(notebook, indent=1) + "\n"
