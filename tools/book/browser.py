"""Chromium, and a small server for it: for the browser tests and the PDF."""

import contextlib
import functools
import gzip
import http.server
import io
import os
import shutil
import threading
from pathlib import Path

NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"]
MAC = ["/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
       "/Applications/Chromium.app/Contents/MacOS/Chromium"]
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync"]
MISSING = ("Chromium is missing (on Debian: apt-get install chromium). "
           "The variable CHROME_PATH can name one that stands elsewhere.")
COMPRESSED = {".html", ".css", ".js", ".svg", ".json", ".xml", ".txt"}


def find_chromium():
    """Return the path of Chromium or Chrome (the variable CHROME_PATH wins), or None."""
    found = [os.environ.get("CHROME_PATH"), *map(shutil.which, NAMES), *filter(os.path.exists, MAC)]
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
