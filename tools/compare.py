"""Compare another checkout of the book with this one: what a page sends, and what its making takes.

    python -m tools.compare OTHER_CHECKOUT

Both are built twice, in turn, with the packages of this environment; the smaller time counts. Bytes
are those of chapter 04 as GitHub Pages sends them, compressed, without images.
"""

import resource
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tools.book.browser import FLAGS, find_chromium, serving
from tools.book.files import ROOT
from tools.book.run import build

PAGE = "notebooks/04_output_size.html"


def processor_seconds():
    """Return the seconds of processor that ended children of this process have taken."""
    return sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])


def measure(checkout):
    """Return {what: number} for a checkout; the less, the better."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        before = processor_seconds()
        build("--path-output", folder, source=checkout)
        seconds = processor_seconds() - before
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        tab, answers = browser.new_page(), []
        tab.on("response", answers.append)
        with serving(Path(folder, "_build", "html")) as url:
            tab.goto(f"{url}/{PAGE}", wait_until="networkidle")
        sent = [(answer.request.resource_type, answer.url, int(answer.headers["content-length"]))
                for answer in answers]
        elements = tab.evaluate("document.querySelectorAll('*').length")
        browser.close()
    python = [path for room in ("tools", "book") for path in Path(checkout, room).rglob("*.py")]
    return {
        "seconds of processor for the book": seconds,
        "bytes of chapter 04": sum(size for kind, _, size in sent if kind != "image"),
        "of them script, but a figure's": sum(size for kind, url, size in sent if kind == "script"
                                              and "/figures/" not in url),
        "of them style": sum(size for kind, _, size in sent if kind == "stylesheet"),
        "elements of chapter 04": elements,
        "lines of Python, but tests": sum(len(path.read_text().splitlines()) for path in python),
    }


def main(other):
    rounds = [(measure(other), measure(ROOT)) for _ in range(2)]
    print(f"{'':36}{other.name[:12]:>12}{'here':>12}{'ratio':>8}")
    for what in rounds[0][0]:
        before, here = (min(number[what] for number in side) for side in zip(*rounds, strict=True))
        print(f"{what:36}{before:12,.0f}{here:12,.0f}{here / max(before, 1):8.2f}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]).resolve())
