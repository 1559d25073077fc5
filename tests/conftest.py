"""What the tests share: a chapter's definitions, draws of hypothesis, a browser, the built book."""

import os

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", KERAS_BACKEND="tensorflow")  # a notebook's kernel inherits them

import pytest
from browser import browser_type_launch_args, visit  # noqa: F401  (fixtures)
from filelock import FileLock
from hypothesis import settings

from tools.book.definitions import definitions  # noqa: F401
from tools.book.files import ROOT, find_notebook  # noqa: F401
from tools.book.run import build

# The same draws in each run; `HYPOTHESIS_PROFILE=explore` (or --hypothesis-profile=explore) looks for new ones, and for more.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def examples(count):
    """Return the settings of a property test that tries `count` examples, and ten times as many when it explores."""
    return settings(max_examples=count * (10 if settings.get_current_profile_name() == "explore" else 1))


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The folder of the built book's pages, which is built once, whatever the number of workers."""
    folder = tmp_path_factory.getbasetemp()
    folder = (folder.parent if os.environ.get("PYTEST_XDIST_WORKER") else folder) / "site"
    pages = folder / "_build" / "html"
    with FileLock(f"{folder}.lock"):
        if not pages.exists():
            build("--path-output", folder)
    return pages
