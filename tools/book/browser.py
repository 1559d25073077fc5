"""Chromium, and a small server for it: for the browser tests, the PDF and Lighthouse."""

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
MAC = ["/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
       "/Applications/Chromium.app/Contents/MacOS/Chromium"]
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync"]
MISSING = ("Chromium is missing (on Debian: apt-get install chromium). "
           "The variable CHROME can name one that stands elsewhere.")
COMPRESSED = {".html", ".css", ".js", ".svg", ".json", ".xml", ".txt"}
LIGHTHOUSE = "lighthouse@12.8.2"  # from npm: it is no Python package
CATEGORIES = ["performance", "accessibility", "best-practices", "seo"]


def find_chromium():
    """Return the path of Chromium or Chrome (the variable CHROME wins), or None."""
    found = [os.environ.get("CHROME"), *map(shutil.which, NAMES), *filter(os.path.exists, MAC)]
    return next(filter(None, found), None)


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serve files as GitHub Pages does: text compressed, 404.html for what is missing; silently."""

    protocol_version = "HTTP/1.1"
    extensions_map = {**http.server.SimpleHTTPRequestHandler.extensions_map,
                      ".js": "text/javascript", ".woff2": "font/woff2"}

    def send_head(self):
        path = Path(self.translate_path(self.path))
        path = path / "index.html" if path.is_dir() else path
        status = 200 if path.is_file() else 404
        if status == 404:
            path = Path(self.directory, "404.html")
        body = path.read_bytes() if path.is_file() else b"not found"
        self.send_response(status)
        self.send_header("Content-Type", self.guess_type(str(path)))
        if path.suffix in COMPRESSED and "gzip" in self.headers.get("Accept-Encoding", ""):
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
    """Serve `folder` on a loopback port while the block runs; gives the URL, without a slash."""
    handler = functools.partial(Handler, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def run_lighthouse(url, device):
    """Return Lighthouse's report on `url`, parsed."""
    command = ["npx", "--yes", LIGHTHOUSE, url, "--quiet", "--output=json",
               f"--only-categories={','.join(CATEGORIES)}", f"--chrome-flags={' '.join(FLAGS)}"]
    if device == "desktop":
        command.append("--preset=desktop")
    environment = {**os.environ, "CHROME_PATH": find_chromium()}
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
    if result.returncode:
        sys.exit(result.stderr)
    return json.loads(result.stdout)


def lost_points(report):
    """Return the audits that cost points in a report of Lighthouse, with what they measured."""
    names = {part["id"] for category in report["categories"].values()
             for part in category["auditRefs"] if part["weight"]}
    audits = [(name, report["audits"][name]) for name in sorted(names)]
    return [f"{name} {audit.get('displayValue', '')}".strip() for name, audit in audits
            if audit["score"] is not None and audit["score"] < 0.9]


def print_lighthouse(folder, pages):
    """Print the scores of `pages` (default: all in `folder`), what lost points, and the bytes."""
    if not shutil.which("npx"):
        sys.exit("Lighthouse needs node (https://nodejs.org), which brings npx; "
                 "nothing else in this book does.")
    folder = Path(folder)
    pages = pages or sorted(page.relative_to(folder).as_posix() for page in folder.rglob("*.html")
                            if page.parent.name in ("book", "notebooks"))
    print(f"{'page':44} {'device':8} perf  a11y  best   seo     KB  what lost points")
    with serving(folder) as url:
        for page, device in [(page, device) for page in pages for device in ("desktop", "phone")]:
            report = run_lighthouse(f"{url}/{page}", device)
            scores = "  ".join(f"{100 * report['categories'][name]['score']:4.0f}"
                               for name in CATEGORIES)
            size = report["audits"]["total-byte-weight"]["numericValue"] / 1000
            lost = "; ".join(lost_points(report))
            print(f"{page:44} {device:8} {scores}  {size:5.0f}  {lost}", flush=True)
