"""A browser for the tests (pytest-playwright's, on the Chromium of this machine), and `visit`.

Without Chromium the tests that need it are skipped, with a sentence; in CI (the variable CI is set)
they fail instead.
"""

import contextlib
import os
from urllib.parse import urlsplit

import pytest

from tools.book.browser import FLAGS, MISSING, find_chromium, serving

DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture(scope="session")
def browser_type_launch_args():
    """How pytest-playwright starts the browser."""
    path = find_chromium()
    if path is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(MISSING)
    return {"executable_path": path, "args": FLAGS}


_servers = contextlib.ExitStack()


def serve(folder):
    """Return the URL, without a slash at its end, of a server for `folder` until the tests end."""
    return _servers.enter_context(serving(folder))


@pytest.fixture
def visit(new_context):
    """The function visit(address, size=DESKTOP, **options of a browser context) that opens a page.

    At the end no page that it opened has met an error, said anything on the console, missed a file
    or asked another server for one. A test that wants such a thing empties `visit.problems`.
    """
    problems = []

    def open_page(address, size=DESKTOP, **options):
        here = urlsplit(address).netloc

        def look_at_request(request):
            url = urlsplit(request.url)
            if url.scheme not in ("data", "blob") and url.netloc != here:
                problems.append(f"leaves the site: {request.url}")

        def look_at_answer(answer):
            # The address itself may be one that is missing, on purpose.
            if answer.status >= 400 and answer.url != address:
                problems.append(f"{answer.status}: {answer.url}")

        def look_at_message(message):
            if message.type in ("error", "warning") and message.location["url"] != address:
                problems.append(message.text)

        tab = new_context(viewport=size, **options).new_page()
        tab.on("pageerror", lambda error: problems.append(str(error)))
        tab.on("console", look_at_message)
        tab.on("request", look_at_request)
        tab.on("response", look_at_answer)
        tab.goto(address, wait_until="load")
        return tab

    open_page.problems = problems
    yield open_page
    assert problems == []
