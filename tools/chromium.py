"""Chromium and a small server for it: for the browser tests, the PDF and Lighthouse.

    python tools/chromium.py pdf PAGE.html OUT.pdf           print a page, with an outline and page numbers
    python tools/chromium.py lighthouse HTML_FOLDER [PAGE ...]   Lighthouse's four scores of the pages, desktop and phone
"""

import contextlib
import functools
import gzip
import http.server
import io
import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"]
MAC = ["/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", "/Applications/Chromium.app/Contents/MacOS/Chromium"]
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]
MISSING = "Chromium is missing (on Debian: apt-get install chromium). The variable CHROME can name one that stands elsewhere."
LIGHTHOUSE = "lighthouse@12.8.2"  # from npm: it is no Python package
CATEGORIES = ["performance", "accessibility", "best-practices", "seo"]


def find_chromium():
    """Return the path of Chromium or Chrome (the variable CHROME wins), or None."""
    return next(filter(None, [os.environ.get("CHROME"), *map(shutil.which, NAMES), *filter(os.path.exists, MAC)]), None)


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serve files as GitHub Pages does: text compressed, 404.html for what is missing; and say nothing."""

    protocol_version = "HTTP/1.1"
    extensions_map = {".js": "text/javascript", ".woff2": "font/woff2", **http.server.SimpleHTTPRequestHandler.extensions_map}

    def send_head(self):
        path = Path(self.translate_path(self.path))
        path = path / "index.html" if path.is_dir() else path
        status = 200 if path.is_file() else 404
        if status == 404:
            path = Path(self.directory, "404.html")
        body = path.read_bytes() if path.is_file() else b"not found"
        self.send_response(status)
        self.send_header("Content-Type", self.guess_type(str(path)))
        if path.suffix in (".html", ".css", ".js", ".svg", ".json", ".xml", ".txt") and "gzip" in self.headers.get("Accept-Encoding", ""):
            body = gzip.compress(body)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "max-age=600")
        self.end_headers()
        return io.BytesIO(body)

    def log_message(self, *arguments):
        pass


@contextlib.contextmanager
def serving(folder):
    """Serve `folder` on a free loopback port while the block runs; gives the URL, without a slash at its end."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def print_pdf(page, out):
    """Print the page at the path `page`, all its folds open, to `out`.

    Sphinx writes a book of one page into the folder of its first page, but with addresses that hold one folder up.
    """
    from playwright.sync_api import sync_playwright

    page = shutil.copy(page, Path(page).resolve().parents[1] / "print.html")

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        tab = browser.new_page()
        tab.goto(page.as_uri(), wait_until="load")
        tab.evaluate("document.querySelectorAll('details').forEach(details => details.open = true)")
        number = '<div style="font-size: 8px; width: 100%; text-align: center"><span class="pageNumber"></span></div>'
        tab.pdf(path=out, format="A4", print_background=True, outline=True, tagged=True, display_header_footer=True,
                header_template="<span></span>", footer_template=number,
                margin={"top": "18mm", "bottom": "18mm", "left": "16mm", "right": "16mm"})
        browser.close()
    print(f"The book is printed: {Path(out).resolve()} ({Path(out).stat().st_size / 1e6:.1f} MB)")


def run_lighthouse(url, device):
    """Return Lighthouse's report on `url`, as it parses its own JSON."""
    command = ["npx", "--yes", LIGHTHOUSE, url, "--quiet", "--output=json", f"--only-categories={','.join(CATEGORIES)}",
               f"--chrome-flags={' '.join(FLAGS)}", *(["--preset=desktop"] if device == "desktop" else [])]
    result = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "CHROME_PATH": find_chromium()})
    if result.returncode:
        sys.exit(result.stderr)
    return json.loads(result.stdout)


def print_lighthouse(folder, pages):
    """Print the scores of `pages` (default: all in `folder`), what lost points, and the bytes sent."""
    if not shutil.which("npx"):
        sys.exit("Lighthouse needs node (https://nodejs.org), which brings npx; nothing else in this book does.")
    folder = Path(folder)
    pages = pages or sorted(page.relative_to(folder).as_posix() for page in folder.rglob("*.html") if page.parent.name in ("book", "notebooks"))
    print(f"{'page':44} {'device':8} perf  a11y  best   seo     KB  what lost points")
    with serving(folder) as url:
        for page in pages:
            for device in ("desktop", "phone"):
                report = run_lighthouse(f"{url}/{page}", device)
                scores = [round(100 * report["categories"][name]["score"]) for name in CATEGORIES]
                weighted = {ref["id"] for name in CATEGORIES for ref in report["categories"][name]["auditRefs"] if ref["weight"]}
                lost = [f"{name} {report['audits'][name].get('displayValue', '')}".strip() for name in sorted(weighted)
                        if (report["audits"][name]["score"] or 1) < 0.9 or report["audits"][name]["score"] == 0]
                size = report["audits"]["total-byte-weight"]["numericValue"] / 1000
                print(f"{page:44} {device:8} {scores[0]:4}  {scores[1]:4}  {scores[2]:4}  {scores[3]:4}  {size:5.0f}  {'; '.join(lost)}", flush=True)


if __name__ == "__main__":
    if find_chromium() is None:
        sys.exit(MISSING)
    what, *arguments = sys.argv[1:]
    print_pdf(*arguments) if what == "pdf" else print_lighthouse(arguments[0], arguments[1:])
