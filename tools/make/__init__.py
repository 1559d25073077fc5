"""What is trained or drawn once for the pages, and the networks' times."""

import logging
import os

# TensorFlow reads these when it is imported, which no module of this folder does before this line.
os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", KERAS_BACKEND="tensorflow")
logging.getLogger("tensorflow").setLevel("ERROR")  # AutoGraph finds no source of a notebook's code
