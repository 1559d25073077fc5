"""Chapter 22, the reader of parts: faults, each one sentence, from a server that commits them; strokes; both sources."""

import http.server
import io
import json
import socket
import struct
import threading

import nbformat
import numpy as np
import pytest
from conftest import definitions, find_notebook

CHAPTER = definitions("22")
fetch, read_rows, read_strokes, real_drawings = (CHAPTER[n] for n in ("fetch", "read_rows", "read_strokes", "real_drawings"))
IMAGES = np.random.default_rng(0).integers(0, 256, (5000, 784), np.uint8)


def saved(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def official(rows):
    """Return rows as an .npy file with a header of 80 bytes, as an older NumPy wrote the data set's."""
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {rows.shape}, }}".ljust(69) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + rows.tobytes()


DRAWINGS = [[[[0, 10, 255], [0, 20, 40]], [[5, 5], [6, 6]]], [[[0, 255], [255, 0]]], [[[1, 2, 3], [4, 5, 6]]]]
LINES = "".join(json.dumps({"word": "crème brûlée", "drawing": drawing}, ensure_ascii=False) + "\n" for drawing in DRAWINGS).encode()
FILES = {"/old.npy": official(IMAGES), "/new.npy": saved(IMAGES), "/page.npy": b"<html>Not here</html>" * 99, "/wide.npy": saved(IMAGES.reshape(-1, 28, 28)),
         "/floats.npy": saved(IMAGES[:200].astype(float)), "/columns.npy": saved(np.asfortranarray(IMAGES)), "/whole.npy": official(IMAGES), "/cut.npy": official(IMAGES),
         "/drop.npy": official(IMAGES), "/damaged.npy": b"\x93NUMPY\x01\x00" + struct.pack("<H", 22) + b"{'descr': '|u1', 'fort" + bytes(200),
         "/listed.npy": b"\x93NUMPY\x01\x00" + struct.pack("<H", 6) + b"[1, 2]" + bytes(200), "/long.npy": official(IMAGES), "/second.npy": b"\x93NUMPY\x02\x00" + bytes(200), "/some.ndjson": LINES,
         "/foreign.ndjson": b"<html>\n</html>\n" * 99, "/other.ndjson": b'{"word": "cat"}\n' * 9, "/numbers.ndjson": b"3\n" * 99}
FILES |= {name: official(IMAGES) for name in ("/told.npy", "/shifted.npy", "/nonsense.npy", "/toldcut.npy")}
FILES |= {"/toldearly.npy": official(IMAGES)[:20_000]}
FILES |= {"/told.ndjson": LINES, "/open.ndjson": LINES[:-1], "/nothing.npy": b"", "/second5.npy": b"\x93NUMPY\x01\x00v",
          "/timed.ndjson": b'{"drawing": [[[0, 255], [3, 4], [0, 99]]]}\n'}
FILES |= {f"/header{k}.npy": b"\x93NUMPY\x01\x00" + struct.pack("<H", 100) + f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}}}".ljust(100).encode() + bytes(9000)
          for k, shape in enumerate(("5", "None", "{784}", "('a', 784)", "(5j, 784)", "(-5, 784)", "(10 ** 9, 784)", "(" + "9" * 30 + ", 784)", "(5000.0, 784)"))}
FILES |= {f"/bad{k}.ndjson": json.dumps({"drawing": 0}).replace("0", drawing).encode() + b"\n" for k, drawing in enumerate(
    ("[]", "{}", "[[]]", "[[[1, 2]]]", "[[[], []]]", "[[[NaN], [1]]]", "[[[1, 2], [1]]]", "[[[[1]], [[2]]]]", "[[[" + "9" * 400 + "], [1]]]", "3", "[3]", '"ab"', "[" * 100_000))}
FILES |= {f"/words/{name.replace(' ', '%20')}.npy": official(IMAGES[500 * k:500 * k + 500]) for k, name in enumerate(CHAPTER["NAMES"])}


class Faulty(http.server.BaseHTTPRequestHandler):
    asked = []

    def log_message(self, *about):
        pass

    def do_GET(self):
        self.asked.append((self.path, self.headers.get("Range")))
        if self.path not in FILES:
            return self.send_error(404)
        data = FILES[self.path]
        if self.path.startswith("/whole"):  # knows no Range
            self.send_response(200)
            self.send_header("Content-Length", len(data))
            self.end_headers()
            self.wfile.write(data[:2000])
            return None
        first, last = map(int, self.headers["Range"].removeprefix("bytes=").split("-"))
        part = data[first:last + 1 + (self.path.startswith("/long") and first > 0)]
        self.send_response(206)
        cut = first > 0 and self.path.startswith(("/cut", "/drop"))
        if self.path.startswith(("/told", "/open", "/shifted", "/nonsense")):  # says which bytes it sends
            begin = first + (first > 0 and self.path.startswith("/shifted"))
            told = f"bytes {begin}-{begin + len(part) - 1}/{len(data)}"
            self.send_header("Content-Range", "bytes, many" if self.path.startswith("/nonsense") else told)
            part = data[begin:begin + len(part)]
        if self.path.startswith("/toldcut") and first > 0:
            part = part[:100]
        promised = len(part) // 2 if cut and self.path.startswith("/cut") else len(part)
        self.send_header("Content-Length", promised)
        self.end_headers()
        self.wfile.write(part[:len(part) // 2] if cut else part)  # "drop" promises all, and hangs up
        return None


@pytest.fixture(scope="module")
def home():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Faulty)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("name", ["old", "new"])
@pytest.mark.parametrize("n, first", [(1000, 0), (7, 4000), (1, 4999), (5000, 0)])
def test_rows_are_those_of_the_file_whatever_its_header(home, name, n, first):
    assert np.array_equal(read_rows(f"{home}/{name}.npy", n, first).reshape(n, 784), IMAGES[first:first + n])


def test_two_requests_ask_for_the_header_and_for_the_rows_only(home):
    Faulty.asked.clear()
    read_rows(f"{home}/old.npy", 5, first=10)
    assert Faulty.asked == [("/old.npy", "bytes=0-127"), ("/old.npy", "bytes=7920-11839")]


def closed_port():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return unused.getsockname()[1]


FAULTS = {
    "no such file": ("/none.npy", ConnectionError, "{url}: the server answers 404 Not Found"),
    "no Range": ("/whole.npy", ConnectionError, "{url}: the server sends the whole file (status 200), not the part asked for"),
    "cut": ("/cut.npy", ConnectionError, "{url}: 19,600 bytes came, 39,200 were asked for"),
    "cut, and hung up": ("/drop.npy", ConnectionError, "{url}: 19,600 bytes came, 39,200 were asked for"),
    "too much": ("/long.npy", ConnectionError, "{url}: 39,201 bytes came, 39,200 were asked for"),
    "another part": ("/shifted.npy", ConnectionError, "{url}: the server sends bytes 81-39280/3920080, not from byte 80"),
    "less than it says": ("/toldcut.npy", ConnectionError, "{url}: 100 bytes came, 39,200 were asked for"),
    "less than the header promises": ("/toldearly.npy", ConnectionError, "{url}: 19,920 bytes came, 39,200 were asked for"),
    "no part that can be read": ("/nonsense.npy", ConnectionError, "{url}: the server sends bytes, many, not from byte 0"),
    "nothing": ("/nothing.npy", ConnectionError, "{url}: 0 bytes came, 128 were asked for"),
    "no ASCII": ("/cr\u00e8me", ConnectionError, "{url}: no answer (ordinal not in range(128))"),
    "a page": ("/page.npy", ValueError, "{url}: not a .npy file of version 1, it begins with b'<html>No'"),
    "version 2": ("/second.npy", ValueError, "{url}: not a .npy file of version 1, it begins with b'\\x93NUMPY\\x02\\x00'"),
    "not in rows": ("/wide.npy", ValueError, "{url}: expected rows of 784 bytes, the header says {{'descr': '|u1', 'fortran_order': False, 'shape': (5000, 28, 28), }}"),
    "floats": ("/floats.npy", ValueError, "{url}: expected rows of 784 bytes, the header says {{'descr': '<f8', 'fortran_order': False, 'shape': (200, 784), }}"),
    "a damaged header": ("/damaged.npy", ValueError, "{url}: expected rows of 784 bytes, the header says {{'descr': '|u1', 'fort"),
    "a header of something else": ("/listed.npy", ValueError, "{url}: expected rows of 784 bytes, the header says [1, 2]"),
    "other order": ("/columns.npy", ValueError, "{url}: expected rows of 784 bytes, the header says {{'descr': '|u1', 'fortran_order': True, 'shape': (5000, 784), }}"),
}


@pytest.mark.parametrize("path, kind, sentence", FAULTS.values(), ids=FAULTS)
def test_each_fault_is_one_sentence(home, path, kind, sentence):
    with pytest.raises(kind) as told:
        read_rows(home + path, 50)
    assert str(told.value) == sentence.format(url=home + path)


@pytest.mark.parametrize("k", range(9))
def test_a_header_of_another_shape_is_a_sentence(home, k):
    url = f"{home}/header{k}.npy"
    with pytest.raises(ValueError) as told:
        read_rows(url, 50)
    assert str(told.value).startswith((f"{url}: expected rows of 784 bytes, the header says {{'descr'", f"{url}: asked for rows 0 to 49 of 0"))


@pytest.mark.parametrize("n, first", [(0, 0), (-1, 0), (5, -1), (5.0, 0), ("5", 0), (None, 0), (True, 0), (10**40, 0), (5, 2.5)])
def test_no_request_is_made_for_what_is_no_number_of_rows(home, n, first):
    Faulty.asked.clear()
    with pytest.raises(ValueError, match=r"^(n|first) is .{1,80}, not a whole number from [01] to 2,147,483,647$"):
        read_rows(f"{home}/old.npy", n, first)
    assert not Faulty.asked


@pytest.mark.parametrize("size", [0, -1, 5.0, "5", None, True, 10**40])
def test_nor_for_no_number_of_bytes(home, size):
    with pytest.raises(ValueError, match=r"^count is .{1,80}, not a whole number from 1 to 2,147,483,647$"):
        read_strokes(f"{home}/some.ndjson", size)


def test_whole_numbers_of_numpy_are_whole_numbers(home):
    assert np.array_equal(read_rows(f"{home}/old.npy", np.int64(7), np.int64(3)).reshape(7, 784), IMAGES[3:10])
    assert np.array_equal(read_rows(f"{home}/told.npy", 50, 4950).reshape(50, 784), IMAGES[4950:])


def test_a_server_that_speaks_no_http_is_a_sentence_of_one_line():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        def answer():
            connection, _ = listening.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"\x07" * 300 + b"no\r\n\r\n")
        threading.Thread(target=answer, daemon=True).start()
        with pytest.raises(ConnectionError, match=r"^http://\S+: no answer \([ -~]{0,80}\)$"):
            fetch(f"http://127.0.0.1:{listening.getsockname()[1]}/x.npy", 0, 10)


def test_it_waits_20_seconds_and_no_longer(monkeypatch):
    waits = []

    def urlopen(request, timeout):
        waits.append(timeout)
        raise TimeoutError("timed out")
    monkeypatch.setattr(CHAPTER["urllib"].request, "urlopen", urlopen)
    with pytest.raises(ConnectionError, match=r": no answer \(timed out\)$"):
        fetch("http://127.0.0.1/x.npy", 0, 10)
    assert waits == [20]


def test_too_many_rows(home):
    with pytest.raises(ValueError) as told:
        read_rows(f"{home}/old.npy", 6000)
    assert str(told.value) == f"{home}/old.npy: asked for rows 0 to 5999 of 5000"


@pytest.mark.parametrize("who", ["closed port", "no such host"])  # a name of its own for each, the same in every worker
def test_nobody_answers(who):
    host = f"127.0.0.1:{closed_port()}" if who == "closed port" else "no-such-host.invalid"
    with pytest.raises(ConnectionError, match=r"http://\S+: no answer \(.{5,}\)$") as told:
        read_rows(f"http://{host}/x.npy", 5)
    assert "\n" not in str(told.value)


def test_strokes_of_whole_lines_only(home):
    for size in range(LINES.index(b"\n") + 1, len(LINES) + 1):  # also where a letter of two bytes is cut
        found = read_strokes(f"{home}/some.ndjson", size)
        whole = LINES[:size].count(b"\n")
        assert [[stroke.T.tolist() for stroke in drawing] for drawing in found] == DRAWINGS[:whole]


def test_a_file_that_ends_early_is_taken_as_it_is(home):
    """Only where the server says that it ends: then its last line is whole, with or without an end of line."""
    for name in ("told", "open"):
        found = read_strokes(f"{home}/{name}.ndjson", 40_000)
        assert [[stroke.T.tolist() for stroke in drawing] for drawing in found] == DRAWINGS
    with pytest.raises(ConnectionError, match="40,000 were asked for"):
        read_strokes(f"{home}/some.ndjson", 40_000)


def test_times_are_left_out(home):
    [[stroke]] = read_strokes(f"{home}/timed.ndjson", len(FILES["/timed.ndjson"]))
    assert stroke.tolist() == [[0, 3], [255, 4]]


@pytest.mark.parametrize("k", range(13))
def test_what_is_no_stroke_is_a_sentence(home, k):
    with pytest.raises(ValueError, match=r"^http://\S+: not a drawing a line \(.{5,80}\)$"):
        read_strokes(f"{home}/bad{k}.ndjson", len(FILES[f"/bad{k}.ndjson"]))


@pytest.mark.parametrize("name, size, words", [("some", 20, "no whole line in 20 bytes"), ("foreign", 99, "not a drawing a line"),
                                               ("other", 99, "not a drawing a line"), ("numbers", 99, "not a drawing a line")])
def test_what_is_no_strokes_is_said(home, name, size, words):
    with pytest.raises(ValueError, match=words):
        read_strokes(f"{home}/{name}.ndjson", size)


def test_real_drawings_are_the_rows_of_ten_files(home):
    x, y = real_drawings(20, first=5, base=f"{home}/words/")
    assert np.array_equal(x.reshape(10, 20, 784), IMAGES.reshape(10, 500, 784)[:, 5:25])
    assert np.array_equal(y, np.repeat(np.arange(10), 20)) and ("/words/alarm%20clock.npy", "bytes=0-127") in Faulty.asked


# --- both sources ----------------------------------------------------------------------------------------------------

def source_cell():
    return next(cell.source.partition("\nONLINE = ")[2].partition("\n")[2] for cell in nbformat.read(find_notebook("22"), as_version=4).cells if "\nONLINE = " in cell.source)


def run_source(real, online):
    small = {"generate": lambda n, seed: CHAPTER["generate"](n // 100, seed), "real_drawings": real, "ONLINE": online}
    names = {**CHAPTER, **small}
    exec(source_cell(), names)
    return names


def test_offline_no_request_is_made():
    def real(n, first=0):
        raise AssertionError("the network was touched")
    assert run_source(real, online=False)["source"] == "generated"


def test_online_the_drawings_are_real(home, capsys):
    names = run_source(lambda n, first=0: real_drawings(n // 20, first // 20, base=f"{home}/words/"), online=True)
    assert names["source"] == "real" and np.array_equal(names["images"].reshape(10, 40, 784), IMAGES.reshape(10, 500, 784)[:, :40])
    assert np.array_equal(names["others"].reshape(10, 10, 784), IMAGES.reshape(10, 500, 784)[:, 80:90])  # rows 1600 to 1799, in small
    assert "real drawings to learn from" in capsys.readouterr().out


def test_online_without_an_answer_they_are_generated_and_the_reason_is_said(home, capsys):
    names = run_source(lambda n, first=0: real_drawings(n, first, base=f"{home}/elsewhere/"), online=True)
    out = capsys.readouterr().out
    assert names["source"] == "generated" and len(names["images"]) == 80 and len(names["y"]) == 80
    assert f"No real drawings: {home}/elsewhere/airplane.npy: the server answers 404 Not Found\n" in out


@pytest.mark.parametrize("strokes, words", [(DRAWINGS, "3 real cats, mean difference "), (None, "No real strokes: it broke")])
def test_online_the_cell_of_strokes_ends_in_words(strokes, words, capsys):
    """Whatever comes of the strokes, the notebook goes on."""
    cell = next(cell.source for cell in nbformat.read(find_notebook("22"), as_version=4).cells if "# the reader's own proof of the sheet" in cell.source)

    def read(url, size):
        if strokes is None:
            raise ConnectionError("it broke")
        assert url == "https://storage.googleapis.com/quickdraw_dataset/full/simplified/cat.ndjson"
        return [[np.array(stroke, float).T for stroke in drawing] for drawing in strokes]
    exec(cell, {**CHAPTER, "source": "real", "read_strokes": read, "images": IMAGES[:50].reshape(50, 28, 28), "y": np.full(50, 5)})
    assert words in capsys.readouterr().out


def test_half_an_answer_leaves_nothing_mixed(home):
    """The first request is answered, the second is not: images, labels and name are all of one source."""
    def real(n, first=0):
        if first:
            raise ConnectionError("it broke")
        return real_drawings(40, base=f"{home}/words/")
    names = run_source(real, online=True)
    assert names["source"] == "generated" and np.array_equal(names["images"], CHAPTER["generate"](8, 0)[0])


def test_a_clone_and_ci_stay_offline(monkeypatch, tmp_path):
    cell = next(cell.source for cell in nbformat.read(find_notebook("22"), as_version=4).cells if "\nONLINE = " in cell.source)
    line = next(line for line in cell.splitlines() if line.startswith("ONLINE = "))

    def online():
        names = {"os": CHAPTER["os"]}
        exec(line, names)
        return names["ONLINE"]
    (tmp_path / "alone").mkdir()
    monkeypatch.chdir(tmp_path / "alone")
    monkeypatch.delenv("CI", raising=False)
    assert online()
    monkeypatch.setenv("CI", "true")
    assert not online()
    monkeypatch.delenv("CI")
    (tmp_path / "data").mkdir()
    assert not online()
