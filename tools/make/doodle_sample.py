"""The real drawings that tools/make/doodles.py and doodle_network.py read: fetched, and read.

    python -m tools.make.doodle_sample      16 MB from Google's servers, 6 MB stored

They are Google's Quick, Draw! data set (CC BY 4.0), are no part of the book, and lie beside it. Of
each word of chapter 22: the first 2,000 bitmaps, and of the first 25 drawings the strokes and what
the game wrote down. Rows 0 to 1599 are for training, 1600 to 1799 to choose by, 1800 to 1999 for
the test.
"""

import json
import sys
import urllib.parse

import numpy as np

from tools.book.definitions import definitions
from tools.book.files import ROOT

SAMPLE = ROOT.parent / "shared" / "data" / "quickdraw_sample.npz"
ROWS = {"train": slice(0, 1600), "choose": slice(1600, 1800), "test": slice(1800, 2000)}
BITMAPS, DRAWINGS, BYTES = 2000, 25, 60_000  # of a word; the bytes hold its first 25 drawings
NOTED = ["recognized", "key_id", "countrycode"]


def load_bitmaps(path=SAMPLE):
    """Return the bitmaps, bytes (10, 2000, 28, 28), ink 255, in the order of chapter 22's NAMES."""
    if not path.exists():
        raise FileNotFoundError(f"There is no {path}: real drawings, which the project does not "
                                "contain.")
    with np.load(path, allow_pickle=False) as file:
        if file["names"].tolist() != definitions("22")["NAMES"]:
            raise ValueError(f"{path.name} holds {', '.join(file['names'])}")
        return file["bitmaps"]


def load_strokes(path=SAMPLE):
    """Return the 250 drawings with strokes, each a list of arrays (M, 2), and their bitmaps."""
    with np.load(path, allow_pickle=False) as file:
        points, of, stroke = (file[f"point{name}"] for name in ("s", "_drawing", "_stroke"))
        bitmaps = file["bitmaps"][:, :25].reshape(-1, 28, 28)
    return [[points[(of == n) & (stroke == k)].astype(float) for k in np.unique(stroke[of == n])]
            for n in range(len(bitmaps))], bitmaps


def first_lines(url):
    """Return the first 25 drawings of a remote .ndjson, with all that it says of them."""
    lines = definitions("22")["fetch"](url, 0, BYTES).split(b"\n")[:-1][:DRAWINGS]
    if len(lines) < DRAWINGS:
        raise ValueError(f"{url}: {len(lines)} whole lines in {BYTES:,} bytes")
    return [json.loads(line) for line in lines]


def sample(base=None):
    """Return the sample's arrays; `base` is the address of the bitmaps."""
    chapter = definitions("22")
    base, names = base or chapter["BASE"], chapter["NAMES"]
    bitmaps, _ = chapter["real_drawings"](BITMAPS, base=base)
    simplified = base.replace("numpy_bitmap", "simplified")
    lines = [line for name in names
             for line in first_lines(f"{simplified}{urllib.parse.quote(name)}.ndjson")]
    strokes = [(n, k, np.array(stroke[:2], np.uint8).T) for n, line in enumerate(lines)
               for k, stroke in enumerate(line["drawing"])]
    sizes = [len(points) for _, _, points in strokes]
    numbers = {key: np.repeat([stroke[place] for stroke in strokes], sizes).astype(np.uint16)
               for place, key in enumerate(["point_drawing", "point_stroke"])}
    noted = {key: np.array([line[key] for line in lines]).reshape(-1, DRAWINGS) for key in NOTED}
    return {"names": np.array(names), "bitmaps": bitmaps.reshape(-1, BITMAPS, 28, 28),
            "points": np.concatenate([points for _, _, points in strokes]), **numbers, **noted}


if __name__ == "__main__":
    if SAMPLE.exists():
        sys.exit(f"{SAMPLE} is there already")
    arrays = sample()
    SAMPLE.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(SAMPLE, **arrays)
    print(f"{SAMPLE}: {SAMPLE.stat().st_size} bytes")
