"""Fetch the real drawings that tools/make/doodles.py and doodle_network.py read.

    python -m tools.make.doodle_sample      16 MB from Google's servers, 6 MB stored

They go where these scripts look, beside the book. Of each word of chapter 22: the first 2,000
bitmaps, and of the first 25 drawings the strokes and what the game wrote down.
"""

import json
import sys
import urllib.parse

import numpy as np

from tools.book.definitions import definitions
from tools.make.doodle_network import SAMPLE

BITMAPS, DRAWINGS, BYTES = 2000, 25, 60_000  # of a word; the bytes hold its first 25 drawings
NOTED = ["recognized", "key_id", "countrycode"]


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
