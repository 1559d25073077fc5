"""The sample of real drawings, fetched from a server of the test's own: each array is what the scripts read."""

import http.server
import json
import threading
import urllib.parse

import numpy as np
import pytest
from conftest import definitions

from tools.make import doodle_sample

NAMES = definitions("22")["NAMES"]


class Server(http.server.BaseHTTPRequestHandler):
    files = {}

    def log_message(self, *about):
        pass

    def do_GET(self):
        first, last = map(int, self.headers["Range"].removeprefix("bytes=").split("-"))
        part = self.files[urllib.parse.unquote(self.path)][first:last + 1]
        self.send_response(206)
        self.send_header("Content-Length", len(part))
        self.end_headers()
        self.wfile.write(part)


@pytest.fixture(scope="module")
def address():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/numpy_bitmap/"
    server.shutdown()
    server.server_close()


def line(rng, n):
    """Return a drawing as Google's files write it, and its strokes as (M, 2)."""
    strokes = [rng.integers(0, 256, (2, rng.integers(2, 9))) for _ in range(rng.integers(1, 5))]
    said = {"word": "cat", "countrycode": "XY"[n % 2] * 2, "recognized": bool(n % 3), "key_id": str(2**52 + n)}
    return json.dumps({**said, "drawing": [stroke.tolist() for stroke in strokes]}), [stroke.T for stroke in strokes]


def test_the_sample_holds_what_the_scripts_read(address, tmp_path, monkeypatch):
    monkeypatch.setattr(doodle_sample, "BITMAPS", 30)
    rng = np.random.default_rng(0)
    images, drawings = rng.integers(0, 256, (10, 40, 28, 28), np.uint8), []
    for k, name in enumerate(NAMES):
        np.save(tmp_path / "rows.npy", images[k].reshape(40, 784))
        lines, strokes = zip(*[line(rng, n) for n in range(500)], strict=True)
        drawings += strokes[:25]
        Server.files[f"/numpy_bitmap/{name}.npy"] = (tmp_path / "rows.npy").read_bytes()
        Server.files[f"/simplified/{name}.ndjson"] = "\n".join(lines).encode()
    found = doodle_sample.sample(address)
    assert found["names"].tolist() == NAMES and np.array_equal(found["bitmaps"], images[:, :30])
    assert found["recognized"].tolist() == [[bool(n % 3) for n in range(25)]] * 10
    assert found["countrycode"].shape == found["key_id"].shape == (10, 25) and found["key_id"][4, 7] == str(2**52 + 7)
    np.savez_compressed(tmp_path / "sample.npz", **found)
    read, bitmaps = doodle_sample.load_strokes(tmp_path / "sample.npz")
    assert np.array_equal(bitmaps, images[:, :25].reshape(-1, 28, 28)) and len(read) == len(drawings) == 250
    for one, other in zip(read, drawings, strict=True):
        assert len(one) == len(other) and all(map(np.array_equal, one, other))


def test_too_few_drawings_are_refused(address):
    Server.files["/simplified/cat.ndjson"] = b"{}\n" * 24 + b" " * doodle_sample.BYTES
    with pytest.raises(ValueError, match=r"cat\.ndjson: 24 whole lines in 60,000 bytes"):
        doodle_sample.first_lines(address.replace("numpy_bitmap", "simplified") + "cat.ndjson")
