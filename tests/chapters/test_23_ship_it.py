"""Chapter 23: stored tables, integers against other programs and in JavaScript, files that are opened, cut or hostile."""

import http.client
import json
import socket
import struct
import subprocess
import sys
import threading
import zipfile

import keras
import numpy as np
import pytest
import safetensors.numpy
from conftest import definitions, examples
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tools.book.files import ROOT, find_notebook
from tools.make.data import load_mnist
from tools.make.ship import BITS, CUTS

CHAPTER = definitions("23")
affine, quantise, run_integers = (CHAPTER[n] for n in ("affine", "quantise", "run_integers"))
read_tensors, write_tensors = CHAPTER["read_tensors"], CHAPTER["write_tensors"]
STORED = json.loads((ROOT / "data" / "ship.json").read_text())
TEXT = "".join("".join(cell["source"]) for cell in json.loads(find_notebook("23").read_text())["cells"])
PAGE = "draw-doodle/model.js"  # the figure that reads such a network


# --- what the script wrote -----------------------------------------------------------------------------------------

def of_bits(bits, way):
    """Return (3, cuts): what the three seeds read, for each share that the weights were cut to."""
    return np.array([STORED["bits"]["runs"][f"{bits} bits, {way}, seed {seed}"]["right"] for seed in range(3)])


def test_every_run_is_stored():
    assert {table: about["seeds"] for table, about in STORED.items()} == {"bits": [0, 1, 2], "inputs": [0, 1, 2]}
    assert {about["judge"] for about in STORED.values()} == {"validation"} and STORED["bits"]["cuts"] == CUTS and CUTS[0] == 1
    assert STORED["bits"]["runs"].keys() == {f"{b} bits, {way}, seed {s}" for b in BITS for way in ("channel", "tensor") for s in range(3)}
    assert STORED["inputs"]["runs"].keys() == {f"{name}, seed {s}" for name in CHAPTER["INPUTS"] for s in range(3)}


@pytest.mark.parametrize("way", ["channel", "tensor"])
@pytest.mark.parametrize("bits", BITS)
def test_the_notebook_has_what_the_script_wrote(bits, way):
    found = of_bits(bits, way)
    best = found.mean(axis=0).argmax()
    assert CHAPTER["UNCUT"][bits, way] == tuple(found[:, 0])
    assert CHAPTER["BEST_CUT"][bits, way] == (CUTS[best], tuple(found[:, best]))
    if bits == 2:  # where the cut matters, it is not at the end of the sweep
        assert 0 < best < len(CUTS) - 1


def test_the_changed_inputs_are_what_the_script_wrote():
    for name, rows in CHAPTER["WATCHED"].items():
        assert rows == [tuple(STORED["inputs"]["runs"][f"{name}, seed {seed}"][key] for key in ("ink", "unsure", "right")) for seed in range(3)]
    assert CHAPTER["WATCHED"].keys() == CHAPTER["INPUTS"].keys()


# --- scale and zero point --------------------------------------------------------------------------------------------

RANGES = st.floats(-1e3, 1e3).filter(lambda x: x == 0 or abs(x) > 1e-3)


@given(RANGES, RANGES)
@examples(200)
def test_a_value_within_the_range_comes_back_within_half_a_step(low, high):
    low, high = sorted((low, high))
    if min(low, 0) == max(high, 0):
        with pytest.raises(ValueError, match="no scale"):
            affine(low, high)
        return
    scale, zero = affine(low, high)
    assert -128 <= zero <= 127 and quantise(np.zeros(1), scale, zero)[0] == zero  # 0.0 is exact
    values = np.linspace(min(low, 0), max(high, 0), 100)
    q = quantise(values, scale, zero)
    assert q.dtype == np.int8
    back = scale * (q.astype(float) - zero)
    assert np.all(np.abs(back - values) < 1.01 * scale)  # the ends may lie half a step outside, since 0.0 is exact
    inside = (q > -128) & (q < 127)
    assert np.all(np.abs(back - values)[inside] < 0.501 * scale)


@pytest.mark.parametrize("low, high", [(0, 0), (0, np.inf), (-np.inf, 0), (0, np.nan), (np.nan, 1), (5, -5)])
def test_no_scale_covers_nothing_or_everything(low, high):
    with pytest.raises(ValueError, match="no scale covers"):
        affine(low, high)


def test_bytes_are_the_inputs_of_the_network():
    every = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    scale, zero = affine(0, 1)
    assert np.array_equal(quantise(CHAPTER["prepare"](every), scale, zero)[0, ..., 0], every[0].astype(int) - 128)


WEIGHTS = arrays.arrays(np.float32, st.sampled_from([(3, 3, 1, 2), (5, 5, 2, 3), (7, 4)]), elements=st.floats(-8, 8, width=32))


@given(WEIGHTS, st.integers(2, 8), st.booleans())
@examples(100)
def test_weights_come_back_within_half_a_step_and_the_largest_fills_the_range(w, bits, per_channel):
    q, scales = CHAPTER["quantise_weights"](w, bits, per_channel)
    top = 2 ** (bits - 1) - 1
    assert q.dtype == np.int8 and q.shape == w.shape and scales.dtype == np.float32 and scales.shape == w.shape[-1:]
    assert np.abs(q.astype(int)).max() <= top and np.all(np.abs(q * scales - w) <= 0.501 * scales)
    axes = tuple(range(w.ndim - 1)) if per_channel else None
    largest = np.abs(q.astype(int)).max(axis=axes)
    assert np.all((largest == top) | (np.abs(w).max(axis=axes) < 1e-30))
    if not per_channel:
        assert np.all(scales == scales[0])


@pytest.mark.parametrize("bits", [0, 1, 9, 4.0, "8"])
def test_other_bits_are_refused(bits):
    with pytest.raises(ValueError, match="bits shall be 2 to 8"):
        CHAPTER["quantise_weights"](np.ones((2, 2)), bits)


def test_weights_that_are_no_numbers_are_refused():
    with pytest.raises(ValueError, match="1 weights are not finite"):
        CHAPTER["quantise_weights"](np.array([[np.nan, 1]]))


# --- the integer network ---------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def digits():
    """A network of the chapter that has seen 20,000 images, and the test images: (model, integer network, bytes, labels)."""
    (x, y), (x_test, y_test) = load_mnist()
    keras.utils.set_random_seed(3)
    model = CHAPTER["pocket_reader"]()
    model.compile(keras.optimizers.Adam(0.01), CHAPTER["COST"])
    model.fit(CHAPTER["prepare"](x[:20_000]), y[:20_000].astype(np.int32), 100, verbose=0)
    return model, CHAPTER["integer_network"](model, CHAPTER["prepare"](x[:200])), x_test[:2000], y_test[:2000]


def as_input(images):
    """Return bytes (N, 28, 28) as the int8 images of an integer network."""
    return (images[..., None].astype(int) - 128).astype(np.int8)


def by_loops(net, q):
    """Compute one image (H, W, C) by the formulas, number by number, in Python's own integers."""
    _, zero = net["input"]
    values = q.astype(object)
    for kind, w, bias, multiplier, _, after in net["layers"]:
        def out(acc, k, low, multiplier=multiplier, after=after):
            return int(np.clip(np.floor(acc * multiplier[k] + 0.5) + after, low, 127))

        if kind == "Dense":
            flat = values.reshape(-1)
            values = np.array([out(sum((int(v) - zero) * int(m) for v, m in zip(flat, w[:, k], strict=True)) + int(bias[k]), k, -128)
                               for k in range(w.shape[-1])], object)
        else:
            (H, W, C), F = values.shape, len(w)
            maps = np.empty((H // 2 * 2, W // 2 * 2, w.shape[-1]), object)
            for i, j, k in np.ndindex(maps.shape):
                maps[i, j, k] = out(int(bias[k]) + sum(
                    (int(values[i + a - F // 2, j + b - F // 2, c]) - zero) * int(w[a, b, c, k])
                    for a, b, c in np.ndindex(F, F, C) if 0 <= i + a - F // 2 < H and 0 <= j + b - F // 2 < W), k, after)
            values = maps.reshape(H // 2, 2, W // 2, 2, -1).max(axis=(1, 3))
        zero = after
    return values.astype(int)


@pytest.mark.parametrize("F, size", [(3, 8), (5, 8), (3, 7), (5, 9)])
def test_the_integers_are_those_of_plain_loops(F, size):
    rng, layers = np.random.default_rng(F * size), keras.layers
    keras.utils.set_random_seed(F * size)
    bend = dict(padding="same", activation="relu", bias_initializer=keras.initializers.Constant(0.1))
    model = keras.Sequential([keras.Input((size, size, 1)), layers.Conv2D(3, F, **bend), layers.MaxPooling2D(2),
                              layers.Conv2D(2, F, **bend), layers.MaxPooling2D(2), layers.Flatten(), layers.Dense(4)])
    images = rng.random((20, size, size, 1), np.float32)
    net = CHAPTER["integer_network"](model, images)
    q = quantise(images, *net["input"])
    found = run_integers(net, q)
    assert found.shape == (20, 4) and found.dtype == np.int8
    assert all(np.array_equal(by_loops(net, q[n]), found[n]) for n in range(5))
    exact = CHAPTER["answers"](model, images)
    *_, scale, zero = net["layers"][-1]
    assert np.abs(scale * (found.astype(int) - zero) - exact).max() < 0.1 * (exact.max() - exact.min())


def test_many_images_are_read_as_one_by_one(digits):
    _, net, images, _ = digits
    q = as_input(images[:1100])
    found = run_integers(net, q)
    assert np.array_equal(found[::50], np.concatenate([run_integers(net, each[None]) for each in q[::50]]))


def test_the_converter_makes_the_same_network(digits, tmp_path):
    model, net, images, labels = digits
    bare = CHAPTER["pocket_reader"]()
    bare.set_weights(model.get_weights())
    bare.export(tmp_path / "saved", verbose=False)
    (x, _), _ = load_mnist()
    (tmp_path / "int8.tflite").write_bytes(CHAPTER["litert"](tmp_path / "saved", "int8", CHAPTER["prepare"](x[:200])))
    interpreter, theirs = CHAPTER["litert_tensors"](tmp_path / "int8.tflite")
    for _, w, bias, *_ in net["layers"]:
        for array in (np.moveaxis(w, -1, 0), bias):
            assert any(np.array_equal(array, other) for other in theirs)
    ours, other = run_integers(net, as_input(images)), CHAPTER["through_litert"](interpreter, as_input(images))
    assert np.abs(ours.astype(int) - other).max() <= 1 and np.mean(ours == other) > 0.98
    right = np.mean(ours.argmax(axis=1) == labels)
    assert right > 0.95 and abs(right - CHAPTER["hits"](CHAPTER["answers"](model, CHAPTER["prepare"](images)), labels)) < 0.01


def test_a_border_of_int8_zeros_reads_worse(digits):
    """The pad has the zero point: a pad of q = 0 would be a grey frame."""
    _, net, images, labels = digits
    q, (_, zero) = as_input(images), net["input"]
    for kind, w, bias, m, _, after in net["layers"]:
        if kind == "Conv2D":
            framed = np.pad(q, ((0, 0), (1, 1), (1, 1), (0, 0)))  # int8 0 is 128 steps above the zero point
            q = CHAPTER["pool_integers"](CHAPTER["requantise"](CHAPTER["sums"](framed, zero, kind, w, bias)[:, 1:-1, 1:-1], m, after, True))
        else:
            q = CHAPTER["requantise"](CHAPTER["sums"](q, zero, kind, w, bias), m, after, False)
        zero = after
    assert CHAPTER["hits"](q, labels) < CHAPTER["hits"](run_integers(net, as_input(images)), labels) - 0.02


def test_another_layer_is_refused():
    model = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.AveragePooling2D(2), keras.layers.Flatten(), keras.layers.Dense(10)])
    with pytest.raises(ValueError, match="no rule for a layer .*AveragePooling2D"):
        CHAPTER["integer_network"](model, np.ones((1, 28, 28, 1), np.float32))


@pytest.mark.parametrize("q", [np.zeros((1, 28, 28, 1), np.uint8), np.zeros((28, 28, 1), np.int8)])
def test_images_that_are_not_int8_are_refused(digits, q):
    with pytest.raises(ValueError, match="int8"):
        run_integers(digits[1], q)


# --- the page computes the same --------------------------------------------------------------------------------------

def test_20000_of_20000_integers_are_those_of_the_page(digits, tmp_path):
    _, net, images, _ = digits
    if not (ROOT / "book" / "figures" / PAGE).exists():
        pytest.skip(f"no {PAGE} yet")
    sys.path.insert(0, str(ROOT / "tests" / "figures"))
    import figure_models

    path = tmp_path / "digits.safetensors"
    CHAPTER["save_integers"](path, net, names=json.dumps([*"0123456789"]))
    theirs = []
    for part in np.split(images, 10):
        theirs += figure_models.evaluate(PAGE, """(() => {
            const net = model.readNetwork(Uint8Array.from(file).buffer);
            return images.map((bytes) => Array.from(model.forward(net, Uint8Array.from(bytes)).logits)); })()""",
            file=list(path.read_bytes()), images=part.reshape(len(part), -1).tolist())
    ours = run_integers(net, as_input(images))
    assert ours.size == 20_000 and np.sum(np.array(theirs) == ours) == 20_000
    assert len(np.unique(ours)) > 150  # and not one number 20,000 times


def test_the_pages_line_is_the_one_that_is_shown():
    if not (ROOT / "book" / "figures" / PAGE).exists():
        pytest.skip(f"no {PAGE} yet")
    assert "return clamp(Math.floor(sum * multiplier + 0.5) + zero, low, 127);" in TEXT
    assert "return clamp(Math.floor(sum * multiplier + 0.5) + zero, low, 127);" in (ROOT / "book" / "figures" / PAGE).read_text()


# --- files -----------------------------------------------------------------------------------------------------------

def test_the_library_reads_what_is_written_by_hand_and_the_other_way(tmp_path):
    rng = np.random.default_rng(0)
    given_ = {"a": rng.random((3, 4), np.float32), "b/c": rng.integers(-9, 9, (2, 2), np.int32), "empty": np.zeros((0, 3), np.int8),
              "one": np.array(2.5), "half": np.ones(5, np.float16), "bytes": np.arange(7, dtype=np.uint8)}
    write_tensors(tmp_path / "ours", given_, made="by hand", ü="ä")
    for read in (safetensors.numpy.load_file(tmp_path / "ours"), read_tensors((tmp_path / "ours").read_bytes())[0]):
        assert read.keys() == given_.keys()
        assert all(np.array_equal(read[k], given_[k]) and read[k].dtype == given_[k].dtype for k in given_)
    assert read_tensors((tmp_path / "ours").read_bytes())[1] == {"made": "by hand", "ü": "ä"}
    safetensors.numpy.save_file(given_, tmp_path / "theirs", {"made": "by the library"})
    read, about = read_tensors((tmp_path / "theirs").read_bytes())
    assert about == {"made": "by the library"} and all(np.array_equal(read[k], given_[k]) for k in given_)


WHOLE = {"a": np.arange(6, dtype=np.int8).reshape(2, 3), "b": np.arange(4, dtype=np.float32)}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("tensors") / "whole"
    write_tensors(path, WHOLE, about="it")
    return path.read_bytes()


def test_a_file_cut_anywhere_is_refused_as_the_library_refuses_it(whole):
    for end in range(len(whole)):
        with pytest.raises(ValueError):
            read_tensors(whole[:end])
        with pytest.raises(Exception):  # noqa: B017
            safetensors.numpy.load(whole[:end])


@given(st.data())
@examples(300)
def test_bytes_that_were_changed_are_read_or_refused_with_a_sentence(whole, data):
    place = data.draw(st.integers(0, len(whole) - 1))
    changed = bytearray(whole)
    changed[place] = data.draw(st.integers(0, 255))
    check_reader(bytes(changed))


@given(st.binary(max_size=60) | st.builds(
    lambda text: struct.pack("<Q", len(text.encode("utf-8", "replace"))) + text.encode("utf-8", "replace"),
    st.recursive(st.none() | st.booleans() | st.integers() | st.text("data_ofseUI8[]", max_size=4),
                 lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
                     st.sampled_from(["a", "dtype", "shape", "data_offsets", "__metadata__"]), inner)).map(json.dumps)))
@examples(300)
def test_nonsense_is_refused_with_a_sentence(data):
    check_reader(data)


def check_reader(data):
    try:
        read, about = read_tensors(data)
    except ValueError as error:
        assert 5 < len(str(error)) < 300
    else:
        assert all(isinstance(array, np.ndarray) for array in read.values()) and isinstance(about, dict)


def entry(**changes):
    return {"dtype": "I8", "shape": [2], "data_offsets": [0, 2]} | changes


@pytest.mark.parametrize("header, size", [
    ({"a": entry(data_offsets=[0, 2**70])}, 2), ({"a": entry(shape=[-1, -2])}, 2), ({"a": entry(shape=[2.0])}, 2),
    ({"a": entry(shape=[True, 2])}, 2), ({"a": entry(dtype="O")}, 2), ({"a": entry(dtype=["I8"])}, 2), ({"a": entry(shape=2)}, 2),
    ({"a": entry(data_offsets=[2, 0])}, 2), ({"a": entry(data_offsets=[0])}, 2), ({"a": entry(), "b": entry()}, 2),
    ({"a": entry(), "b": entry(data_offsets=[3, 5])}, 5), ({"a": entry()}, 3), ({"a": entry(shape=[2**40, 2**40])}, 2),
    ({"__metadata__": {"a": 1}}, 0), ({"__metadata__": "words"}, 0), ([], 0), ("a", 0), (None, 0), ({"a": None}, 0), ({"a": entry(shape="22")}, 2),
    ({"a": {"dtype": "I8", "shape": [2]}}, 2)])
def test_a_hostile_header_is_refused_by_us_and_by_the_library(header, size):
    text = json.dumps(header).encode()
    data = struct.pack("<Q", len(text)) + text + bytes(size)
    with pytest.raises(ValueError):
        read_tensors(data)
    with pytest.raises(Exception):  # noqa: B017
        safetensors.numpy.load(data)


def test_a_header_that_is_deep_or_announced_large_is_refused_at_once():
    deep = b"[" * 200_000
    for data in (struct.pack("<Q", len(deep)) + deep, struct.pack("<Q", 2**63) + b"{}", b""):
        with pytest.raises(ValueError):
            read_tensors(data)


def test_a_network_read_back_computes_the_same_and_nonsense_is_none(digits, tmp_path):
    _, net, images, _ = digits
    path = tmp_path / "net"
    CHAPTER["save_integers"](path, net, names=json.dumps([*"0123456789"]))
    again, words = CHAPTER["load_integers"](path)
    q = as_input(images[:100])
    assert np.array_equal(run_integers(again, q), run_integers(net, q)) and json.loads(words["names"]) == [*"0123456789"]
    assert np.isclose(again["layers"][-1][4], net["layers"][-1][4])
    tensors, about = read_tensors(path.read_bytes())
    for changes in ({"layers": "[]]"}, {"layers": "3"}, {"output": "{}"}, {"layers": json.dumps([{"name": "x", "kind": "Dense", "zero": 0}])},
                    {"layers": about["layers"].replace("Conv2D", "Lambda")}, {"layers": about["layers"].replace('"kind": "Dense"', '"kind": "Conv2D"')}):
        write_tensors(path, tensors, **about | changes)
        with pytest.raises(ValueError, match="no integer network"):
            CHAPTER["load_integers"](path)
    for name, array in tensors.items():
        write_tensors(path, tensors | {name: array.astype(np.float32)}, **about)
        with pytest.raises(ValueError, match="no integer network"):
            CHAPTER["load_integers"](path)
    write_tensors(path, WHOLE)
    with pytest.raises(ValueError, match="no integer network"):
        CHAPTER["load_integers"](path)


def test_a_fresh_python_opens_the_keras_file_with_keras_alone(digits, tmp_path):
    model, _, images, _ = digits
    model.save(tmp_path / "trained.keras")
    x = CHAPTER["prepare"](images[:100])
    np.save(tmp_path / "x.npy", x)
    code = ("import keras, numpy as np; m = keras.models.load_model('trained.keras'); "
            "np.save('y.npy', np.array(m(np.load('x.npy')))); print(type(m.optimizer).__name__)")
    done = subprocess.run([sys.executable, "-I", "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=240, check=True)
    assert done.stdout.split()[-1] == "Adam"  # it can go on training
    assert np.abs(np.load(tmp_path / "y.npy") - CHAPTER["answers"](model, x)).max() < 1e-4
    with zipfile.ZipFile(tmp_path / "trained.keras") as file:
        assert {"config.json", "model.weights.h5"} <= {*file.namelist()}


# --- the server ------------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def port(digits):
    with CHAPTER["server_for"](digits[1]) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        assert server.server_address[0] == "127.0.0.1"  # nobody else can ask
        yield server.server_address[1]
        server.shutdown()


def test_the_server_reads_digits(digits, port):
    _, net, images, _ = digits
    expected = run_integers(net, as_input(images[:1000])).argmax(axis=1).tolist()
    assert CHAPTER["ask"](port, images[:1000].tobytes()) == (200, {"digits": expected})
    assert CHAPTER["ask"](port, images[3].tobytes()) == (200, {"digits": expected[3:4]})


@pytest.mark.parametrize("body, path, words", [
    (b"", "/read", "0 bytes"), (b"x" * 783, "/read", "783 bytes"), (b"x" * 784 * 1001, "/read", "1 to 1,000"), (b"x" * 784_000, "/", "there is no /")])
def test_a_bad_request_gets_a_sentence(port, body, path, words):
    status, answer = CHAPTER["ask"](port, body, path)
    assert status == 400 and words in answer["error"]


@pytest.mark.parametrize("length", ["-784", "many", "1e3", "", "9" * 30, "٧٨٤"])
def test_a_length_that_is_none_gets_a_sentence(port, length):
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    client.putrequest("POST", "/read")
    client.putheader("Content-Length", length.encode())
    client.endheaders()
    reply = client.getresponse()
    assert reply.status == 400 and "error" in json.loads(reply.read())
    client.close()


def test_whoever_sends_less_than_announced_keeps_nobody_waiting(port):
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    client.putrequest("POST", "/read")
    client.putheader("Content-Length", "784")
    client.endheaders()
    client.send(b"short")
    assert CHAPTER["ask"](port, bytes(784))[0] == 200  # another is answered meanwhile
    client.sock.shutdown(socket.SHUT_WR)  # and now it says that nothing follows
    reply = client.getresponse()
    assert reply.status == 400 and json.loads(reply.read())["error"] == "5 bytes came, 784 were announced"
    client.close()

