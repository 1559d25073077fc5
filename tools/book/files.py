"""Where the files of the book are, and in which order."""

from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
MNIST = ROOT / "data" / "mnist.npz"


def table_of_contents(root=ROOT):
    """Return the files that _toc.yml lists, without endings, in reading order."""
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    chapters = [chapter for part in toc.get("parts", [toc]) for chapter in part["chapters"]]
    return [toc["root"]] + [chapter["file"] for chapter in chapters]


def chapters(root=ROOT):
    """Return the paths of the notebooks of `root`, in order of their numbers."""
    return sorted((root / "notebooks").glob("[0-9][0-9]_*.ipynb"))


def find_notebook(number):
    """Return the path of the chapter with that number, as "04"."""
    return next((ROOT / "notebooks").glob(f"{number}_*.ipynb"))
