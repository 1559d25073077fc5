"""Chapter 21's two scripts in a folder, as its readers write them there, beside some digits."""

import numpy as np

from tools.book.definitions import definitions
from tools.make.data import load_mnist


def write_scripts(folder, images=1200):
    """Write train.py, launch.py and digits.npz into a folder, which it makes; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("TRAIN", "LAUNCH"):
        (folder / f"{name.lower()}.py").write_text(definitions("21")[name])
    (x, y), _ = load_mnist()
    np.savez(folder / "digits.npz", x=x[:images], y=y[:images])
    return folder
