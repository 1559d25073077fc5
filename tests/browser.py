"""A browser for the tests: the fixture `browser`, and `serve(folder)` for the pages it opens.

Without Chromium the tests that need it are skipped, with a sentence; in CI (the variable CI is set) they fail instead.
"""

import contextlib
import os

import pytest

from tools.book.browser import FLAGS, MISSING, find_chromium, serving


@pytest.fixture(scope="session")
def browser():
    """A headless Chromium, driven by playwright; one for all the tests of a worker."""
    path = find_chromium()
    if path is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(MISSING)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


_servers = contextlib.ExitStack()


def serve(folder):
    """Return the loopback URL, without a slash at its end, under which `folder` is served until the tests end."""
    return _servers.enter_context(serving(folder))
