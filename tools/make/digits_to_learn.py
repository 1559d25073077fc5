"""Pack the digits from which the network of the figure "Train it here" learns in the reader's page.

    python -m tools.make.digits_to_learn

The file is a zlib stream, which a browser unpacks by itself: 4,500 labels as bytes, then as many
images of 28 x 28 bytes from 0 to 15. Sixteen shades of grey are enough to learn from, and need
three fifths of the space of 256. The first 4,000 are the first of MNIST's training images; the rest
are 500 of those that the book holds back. No test image is among them.
"""

import zlib

import numpy as np

from tools.book.files import ROOT
from tools.make.data import TRAINING, load_mnist

PATH = ROOT / "book" / "figures" / "train-here" / "digits.bin"
LEARN, HELD_BACK, SHADES = 4_000, 500, 15


def choose():
    """Return (images (4500, 28, 28), labels (4500,)): bytes, the shades 0 to 15."""
    (x, y), _ = load_mnist()
    rows = np.r_[:LEARN, TRAINING:TRAINING + HELD_BACK]
    return np.round(x[rows] / 255 * SHADES).astype(np.uint8), y[rows]


if __name__ == "__main__":
    images, labels = choose()
    PATH.write_bytes(zlib.compress(labels.tobytes() + images.tobytes(), 9))
    print(f"{PATH}: {PATH.stat().st_size:,} bytes")
