"""What is trained, drawn or measured once for the pages, and stored beside them or in data/."""

import logging
import os

# TensorFlow reads these when it is imported, which no module of this folder does before this line.
os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", KERAS_BACKEND="tensorflow")
logging.getLogger("tensorflow").setLevel("ERROR")  # AutoGraph finds no source of a notebook's code
