"""The figures "Convolution, step by step" and "Draw a digit" in a browser: their numbers are TensorFlow's, and their controls work."""

import base64
import gzip
import random
import re
import shutil

import numpy as np
import pytest
import tensorflow as tf
from browser import serve
from conftest import ROOT, find_notebook

from tools.make.data import load_mnist
from tools.make.digit_network import read_network

STATIC = ROOT / "book" / "_static"
WIDTHS = {"desktop": (1280, 900), "phone": (390, 844)}
PAGE = """<!doctype html><html lang="en"><title>Figure</title><meta name="viewport" content="width=device-width">
<body style="margin: 8px; font-family: sans-serif"><main><div>
<{tag}><p>The fallback.</p></{tag}><script type="module" src="{tag}.js"></script></div></main></body></html>"""

# Ten digits as a stranger may draw them, straight strokes in a box of 100 by 140; not among those the network was trained on.
STRANGER = {
    0: [[(60, 2), (30, 8), (8, 40), (4, 90), (22, 130), (52, 139), (82, 122), (97, 80), (90, 30), (62, 4)]],
    1: [[(28, 30), (58, 2), (56, 70), (54, 138)]],
    2: [[(8, 34), (22, 8), (52, 0), (82, 12), (88, 42), (66, 78), (34, 108), (4, 136), (40, 133), (98, 136)]],
    3: [[(10, 14), (46, 0), (82, 12), (86, 40), (62, 62), (36, 66), (70, 72), (96, 98), (84, 128), (46, 140), (6, 126)]],
    4: [[(36, 4), (22, 46), (8, 84), (50, 86), (96, 82)], [(70, 44), (68, 90), (66, 138)]],
    5: [[(86, 4), (22, 6), (18, 60), (48, 50), (82, 62), (92, 96), (74, 128), (40, 138), (6, 126)]],
    6: [[(70, 0), (40, 28), (16, 70), (8, 108), (26, 136), (60, 138), (84, 116), (78, 84), (46, 76), (16, 96)]],
    7: [[(4, 10), (48, 6), (94, 8), (70, 54), (50, 94), (38, 138)]],
    8: [[(78, 20), (48, 2), (20, 16), (24, 44), (56, 66), (86, 92), (84, 126), (50, 140), (16, 124), (18, 94), (48, 68), (76, 44), (80, 22)]],
    9: [[(84, 28), (58, 4), (24, 10), (10, 40), (28, 66), (60, 66), (84, 40), (86, 26), (84, 80), (74, 138)]],
}
# Where the digit stands in the drawing field: left, top and height as shares of its side.
PLACES = {"large": (0.18, 0.1, 0.8), "small, top left": (0.08, 0.06, 0.45), "small, bottom right": (0.6, 0.5, 0.45)}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder with both figures, each in a page of its own; returns its URL."""
    folder = tmp_path_factory.mktemp("figures")
    for path in STATIC.glob("*.*"):
        shutil.copy(path, folder)
    for tag in ("conv-steps", "draw-digit"):
        (folder / f"{tag}.html").write_text(PAGE.format(tag=tag))
    (folder / "empty.html").write_text("<!doctype html><title>Empty</title>")
    return serve(folder)


@pytest.fixture
def visit(browser, site):
    """The function that opens a figure's page; at the end no error and no request beyond the site must have happened."""
    pages, errors = [], []

    def open_page(address, size="desktop", **options):
        width, height = WIDTHS[size]
        page = browser.new_page(viewport={"width": width, "height": height}, has_touch=size == "phone", **options)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" and "favicon" not in message.location["url"] else None)
        page.on("request", lambda request: None if request.url.startswith((site, "data:")) else errors.append(request.url))
        page.goto(f"{site}/{address}")
        if address.startswith("draw-digit") and options.get("java_script_enabled", True):
            page.wait_for_selector("draw-digit[data-ready]", state="attached")
        pages.append(page)
        return page

    yield open_page
    for page in pages:
        page.close()
    assert not errors


@pytest.fixture(scope="module")
def digits():
    """MNIST's test set: (N, 28, 28) bytes and labels."""
    return load_mnist()[1]


# ---- The weights file -------------------------------------------------------------------------------------------------


def test_the_exported_weights_know_the_test_set_and_are_small(digits):
    x, y = digits
    model, samples, header = read_network()
    right = model.predict(x[..., None] / np.float32(255), batch_size=500, verbose=0).argmax(axis=1) == y
    assert len(y) == 10_000 and right.mean() >= 0.985
    assert len(gzip.compress((STATIC / "digit-network.bin").read_bytes())) <= 150_000
    assert f"{model.count_params():,} weights" in (STATIC / "draw-digit.js").read_text()
    positions = header["samples"]["positions"]
    assert np.array_equal(samples, x[positions]) and list(y[positions]) == list(range(10))


FORWARD = """async (text) => {
  const { forward, loadNetwork, preprocess } = await import("./draw-digit.js");
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)), network = await loadNetwork();
  const logits = [], kept = [], times = [];
  for (let at = 0; at < bytes.length; at += 784) {
    const x = Float32Array.from(bytes.subarray(at, at + 784), (byte) => byte / 255), start = performance.now();
    const result = forward(network, x);
    times.push(performance.now() - start);
    logits.push(Array.from(result.logits));
    kept.push(Math.max(...preprocess(x, 28, 28).map((value, n) => Math.abs(value - x[n]))));
  }
  const x = Float32Array.from(bytes.subarray(0, 784), (byte) => byte / 255), { maps } = forward(network, x);
  return { logits, kept, time: times.sort((a, b) => a - b)[times.length >> 1],
    maps: Object.fromEntries(Object.entries(maps).map(([name, { values }]) => [name, Array.from(values)])) };
}"""


def test_the_page_computes_what_keras_computes(visit, digits):
    import keras

    x = digits[0][:1500]
    model, _, _ = read_network()
    images = x[..., None] / np.float32(255)
    expected = model.predict(images, batch_size=500, verbose=0)
    got = visit("empty.html").evaluate(FORWARD, base64.b64encode(x.tobytes()).decode())
    logits = np.array(got["logits"])
    assert logits.shape == (1500, 10) and np.abs(logits - expected).max() < 1e-3
    assert np.array_equal(logits.argmax(axis=1), expected.argmax(axis=1))
    layers = keras.Model(model.inputs[0], [model.get_layer(name).output for name in got["maps"]])(images[:1])
    for (name, values), layer in zip(got["maps"].items(), layers):
        assert np.allclose(values, np.ravel(layer), atol=1e-4), name
    print(f"\nlargest difference of a logit {np.abs(logits - expected).max():.1e}; median {got['time']:.2f} ms a digit")
    assert got["time"] < 50
    # MNIST's digits have been through these steps: 20 pixels, centre of mass in the middle. They come back as they were.
    assert np.mean(np.array(got["kept"]) < 1e-6) > 0.95


def test_the_network_is_ready_soon(visit):
    page = visit("empty.html")
    ready = """async () => { const start = performance.now(); const { loadNetwork } = await import("./draw-digit.js"); await loadNetwork(); return performance.now() - start; }"""
    time = page.evaluate(ready)
    print(f"\nready after {time:.0f} ms")
    assert time < 2000  # 200 on a machine that has nothing else to do


def test_the_preprocessing_is_a_mean_over_areas(visit):
    """A grey drawing of whole blocks, 5 by 10 times 4 pixels, off the middle: every scaled value can be said beforehand."""
    blocks = np.random.default_rng(0).uniform(0.1, 1, (10, 5)).astype(np.float32)
    drawing = np.zeros((100, 90), np.float32)
    drawing[7:47, 60:80] = blocks.repeat(4, axis=0).repeat(4, axis=1)
    code = """async (values) => { const { preprocessSteps } = await import("./draw-digit.js"), { box, scaled, image } = preprocessSteps(Float32Array.from(values), 90, 100);
      return { box, width: scaled.width, height: scaled.height, values: Array.from(scaled.values), image: Array.from(image) }; }"""
    got = visit("empty.html").evaluate(code, [float(value) for value in drawing.ravel()])
    assert got["box"] == {"left": 60, "top": 7, "width": 20, "height": 40} and (got["width"], got["height"]) == (10, 20)
    assert np.allclose(np.reshape(got["values"], (20, 10)), blocks.repeat(2, axis=0).repeat(2, axis=1), atol=1e-6)
    image = np.reshape(got["image"], (28, 28))
    rows, columns = np.mgrid[0:28, 0:28]
    centre = np.array([(image * rows).sum(), (image * columns).sum()]) / image.sum()
    assert np.isclose(image.sum(), blocks.sum() * 4, rtol=1e-5) and np.abs(centre - 14).max() <= 0.5 + 1e-6


@pytest.mark.parametrize(("layer", "size", "jump"), [("conv1", 5, 1), ("pool1", 6, 2), ("conv2", 14, 2), ("pool2", 16, 4)])
def test_a_receptive_field_is_what_the_gradient_touches(visit, layer, size, jump):
    import keras

    got = visit("empty.html").evaluate("async (layer) => (await import('./draw-digit.js')).receptiveField(layer)", layer)
    assert got == {"size": size, "jump": jump}
    layers = [keras.layers.Conv2D(1, 5, kernel_initializer="ones", name="conv1"), keras.layers.AveragePooling2D(2, name="pool1"),
              keras.layers.Conv2D(1, 5, kernel_initializer="ones", name="conv2"), keras.layers.AveragePooling2D(2, name="pool2")]
    upto = [each.name for each in layers].index(layer) + 1
    linear = keras.Sequential([keras.Input((28, 28, 1)), *layers[:upto]])  # every weight positive, so every pixel seen has a gradient
    x = tf.ones((1, 28, 28, 1))
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = linear(x)[0, 1, 2, 0]
    rows, columns = np.nonzero(tape.gradient(value, x)[0, :, :, 0])
    assert (rows.min(), np.ptp(rows) + 1, columns.min(), np.ptp(columns) + 1) == (jump, size, 2 * jump, size)


# ---- Draw a digit: the controls ---------------------------------------------------------------------------------------


def answer(page):
    """Return (digit, percent) that the figure says, below the question or in its status line."""
    return re.search(r"The network says (\d), with ([\d.]+) %", page.locator(".digit-answer").inner_text()).groups()


def draw(page, label, place):
    """Draw a digit with the mouse, as straight strokes."""
    left, top, height = PLACES[place]
    box = page.locator(".digit-pad").bounding_box()
    unit = height * box["width"] / 140
    for stroke in STRANGER[label]:
        at = [(box["x"] + left * box["width"] + x * unit, box["y"] + top * box["width"] + y * unit) for x, y in stroke]
        page.mouse.move(*at[0])
        page.mouse.down()
        for point in at[1:]:
            page.mouse.move(*point, steps=2)
        page.mouse.up()


@pytest.mark.parametrize("size", WIDTHS)
@pytest.mark.parametrize("place", PLACES)
def test_drawn_digits_are_recognised(visit, size, place):
    page = visit("draw-digit.html", size)
    page.get_by_role("button", name="3: a test digit").click()
    page.get_by_role("button", name="Skip").click()
    said = []
    for label in range(10):
        page.get_by_role("button", name="Clear").click()
        page.locator(".digit-pad").scroll_into_view_if_needed()
        draw(page, label, place)
        said.append(int(answer(page)[0]))
    assert sum(label == digit for label, digit in enumerate(said)) >= 9, said


def test_a_finger_draws(visit):
    page = visit("draw-digit.html", "phone")
    box = page.locator(".digit-pad").bounding_box()
    session = page.context.new_cdp_session(page)
    for kind, place in [("touchStart", (0.2, 0.2)), ("touchMove", (0.5, 0.2)), ("touchMove", (0.8, 0.2)), ("touchMove", (0.55, 0.9)), ("touchEnd", None)]:
        points = [] if place is None else [{"x": box["x"] + place[0] * box["width"], "y": box["y"] + place[1] * box["height"]}]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    page.get_by_role("button", name="Skip").click()
    assert answer(page)[0] == "7" and page.evaluate("scrollY") == 0
    assert page.locator(".digit-pad").evaluate("pad => getComputedStyle(pad).touchAction") == "none"


@pytest.mark.parametrize("size", WIDTHS)
def test_the_keyboard_draws_and_does_everything_else(visit, size):
    page = visit("draw-digit.html", size)
    press = page.keyboard.press
    press("Tab")
    assert page.evaluate("document.activeElement.className") == "digit-pad"
    for key, times in [("ArrowUp", 9), ("ArrowLeft", 5), (" ", 1), ("ArrowRight", 10), ("ArrowDown", 19), (" ", 1)]:
        for _ in range(times):
            press(key)
    page.get_by_role("button", name="Skip").focus()
    press("Enter")
    assert answer(page)[0] == "7"
    page.get_by_role("button", name="Undo stroke").focus()
    press("Enter")
    assert page.locator(".digit-status").inner_text() == "Draw a digit."
    sample = page.get_by_role("button", name="8: a test digit")
    sample.focus()
    press("Space")
    assert answer(page)[0] == "8"
    page.get_by_role("spinbutton", name="Map").focus()
    press("ArrowUp")
    assert "map 1, row 11" in page.locator(".digit-look p").inner_text()
    page.get_by_role("radio", name="convolution 1").focus()
    press("ArrowRight")
    assert page.locator(".digit-look p").inner_text().startswith("pooling 1, map 1, row 11, column 11:")


def test_every_sample_is_recognised_and_its_numbers_are_kerass(visit):
    page = visit("draw-digit.html?digit=0")
    model, samples, _ = read_network()
    shares = tf.nn.softmax(model(samples[..., None] / np.float32(255))).numpy()
    for label in range(10):
        page.get_by_role("button", name=f"{label}: a test digit").click()
        shown = [float(text.removesuffix(" %")) for text in page.locator(".digit-share").all_inner_texts()]
        assert answer(page)[0] == str(label) and np.allclose(shown, 100 * shares[label], atol=0.06)


@pytest.mark.parametrize("guess", ["7", "3"])
def test_it_asks_before_it_answers(visit, guess):
    page = visit("draw-digit.html")
    page.get_by_role("button", name="7: a test digit").click()
    assert set(page.locator(".digit-share").all_inner_texts()) == {"?"} and "says" not in page.locator("draw-digit").inner_text()
    page.get_by_role("button", name=guess, exact=True).click()
    said = page.locator(".figure-verdict").inner_text()
    assert said.startswith("Right." if guess == "7" else "Not quite: 7.") and "The network says 7" in said
    assert "%" in page.locator(".digit-share").first.inner_text()
    page.get_by_role("button", name="2: a test digit").click()
    assert answer(page)[0] == "2"  # asked once, not each time


def test_a_drawing_can_be_shared(visit):
    page = visit("draw-digit.html")
    draw(page, 5, "large")
    page.get_by_role("button", name="Skip").click()
    page.wait_for_url("**ink=*")
    query = page.url.split("?")[1]
    shared = visit(f"draw-digit.html?{query}&field=conv2,5,3,4")
    assert answer(shared)[0] == "5"
    assert "convolution 2, map 5, row 3, column 4" in shared.locator(".digit-look p").inner_text()
    for nonsense in ("digit=11", "digit=x", "ink=a", "ink=%3Cb%3E", "ink=...", "field=conv9,1,1,1", "field=conv2,-1,a,3", "field=toString,1,1,1"):
        page = visit(f"draw-digit.html?{nonsense}")
        assert "convolution 1, map 0, row 11, column 11" in page.locator(".digit-look p").inner_text()
        assert "guess" in page.locator(".digit-status").inner_text()
    assert "map 23, row 7, column 7" in visit("draw-digit.html?digit=3&field=conv2,99,99,99").locator(".digit-look p").inner_text()


@pytest.mark.parametrize("size", WIDTHS)
def test_a_click_on_a_map_says_what_it_sees(visit, size):
    page = visit("draw-digit.html?digit=5", size)
    canvas = page.locator("canvas.digit-map").nth(2)  # conv2: 12 maps of 8 + 1 pixels in a row
    box = canvas.bounding_box()
    unit = box["width"] / (12 * 9 - 1)
    canvas.click(position={"x": (5 * 9 + 6.5) * unit, "y": (9 + 2.5) * unit})
    said = page.locator(".digit-look p").inner_text()
    assert said.startswith("convolution 2, map 17, row 2, column 6:") and "rows 4 to 17 and columns 12 to 25" in said
    frame = page.evaluate("""() => { const c = document.querySelector(".digit-look canvas"), { data } = c.getContext("2d").getImageData(0, 0, 280, 280), on = [];
      for (let n = 0; n < 280 * 280; n++) if (data[4 * n] > 200 && data[4 * n + 2] < 60) on.push([Math.floor(n / 280), n % 280]);
      return [Math.min(...on.map((p) => p[0])), Math.max(...on.map((p) => p[0])), Math.min(...on.map((p) => p[1])), Math.max(...on.map((p) => p[1]))]; }""")
    assert frame == [40, 179, 120, 259]


@pytest.mark.parametrize("tag", ["conv-steps", "draw-digit"])
def test_the_fallback_stands_without_javascript_and_goes_with_it(visit, tag):
    assert visit(f"{tag}.html", java_script_enabled=False).locator(tag).inner_text() == "The fallback."
    assert "fallback" not in visit(f"{tag}.html").locator(tag).inner_text()


@pytest.mark.parametrize("tag", ["conv-steps.html?output=18", "draw-digit.html?digit=6"])
def test_nothing_is_wider_than_a_small_phone(visit, tag):
    page = visit(tag, "phone")
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


# ---- Convolution, step by step ----------------------------------------------------------------------------------------


def by_tensorflow(numbers):
    """Return the outputs (3, 3, 2) that TensorFlow makes of {image, filters, bias}, stride 2, one zero on each side."""
    x = tf.reshape(tf.constant(numbers["image"], tf.float32), (1, 5, 5, 3))
    w = tf.reshape(tf.constant(numbers["filters"], tf.float32), (3, 3, 3, 2))
    return (tf.nn.conv2d(x, w, 2, [[0, 0], [1, 1], [1, 1], [0, 0]])[0] + tf.constant(numbers["bias"], tf.float32)).numpy()


def test_its_outputs_are_tensorflows_for_the_chapter_and_for_seeds(visit):
    seeds = [None, *random.Random(0).sample(range(1, 1_000_000), 20)]
    code = """async (seeds) => { const { makeNumbers, computeAll, computeOutput, place } = await import("./conv-steps.js");
      return seeds.map((seed) => { const numbers = makeNumbers(seed); return { ...numbers, outputs: computeAll(numbers),
        steps: Array.from({ length: 18 }, (_, n) => ({ ...place(n), ...computeOutput(numbers, place(n)) })) }; }); }"""
    results = visit("empty.html").evaluate(code, seeds)
    assert len({str(result["image"] + result["filters"]) for result in results}) == len(seeds)
    for seed, result in zip(seeds, results):
        expected = by_tensorflow(result)
        assert set(result["image"]) == {0, 1, 2} and set(result["filters"]) == {-1, 0, 1} and result["bias"] == [1, 0], seed
        assert np.array_equal(np.reshape(result["outputs"], (2, 3, 3)).transpose(1, 2, 0), expected), seed
        for step in result["steps"]:
            assert [len(products) for products in step["products"]] == [9, 9, 9]
            assert [sum(products) for products in step["products"]] == step["sums"]
            assert sum(step["sums"]) + step["bias"] == step["total"] == expected[step["i"], step["j"], step["k"]]


def test_the_default_numbers_are_chapter_04s(visit):
    source = find_notebook("04").read_text()
    assert "np.random.default_rng(231)" in source and "rng.integers(0, 3, size=(5, 5, 3))" in source and "rng.integers(-1, 2, size=(3, 3, 3, 2))" in source
    rng = np.random.default_rng(231)
    image, filters = rng.integers(0, 3, size=(5, 5, 3)), rng.integers(-1, 2, size=(3, 3, 3, 2))
    got = visit("empty.html").evaluate("async () => (await import('./conv-steps.js')).makeNumbers()")
    assert got == {"image": image.ravel().tolist(), "filters": filters.ravel().tolist(), "bias": [1, 0]}


def shown(page):
    """Return what the figure shows now: (products (3, 3, 3), sums, the outputs' texts, the status)."""
    products = [int(text.replace("−", "-")) for text in page.locator(".conv-product strong").all_inner_texts()]
    sums = [int(text.replace("−", "-")) for text in page.locator(".conv-sum strong").all_inner_texts()]
    return np.reshape(products, (3, 3, 3)), sums, page.locator(".conv-outputs button").all_inner_texts(), page.locator(".conv-status").inner_text()


@pytest.mark.parametrize("size", WIDTHS)
def test_every_step_shows_its_27_products(visit, size):
    page = visit("conv-steps.html?seed=17", size)
    numbers = page.evaluate("async () => (await import('./conv-steps.js')).makeNumbers(17)")
    padded = np.pad(np.reshape(numbers["image"], (5, 5, 3)), ((1, 1), (1, 1), (0, 0)))
    filters, expected = np.reshape(numbers["filters"], (3, 3, 3, 2)), by_tensorflow(numbers)
    forward = page.get_by_role("button", name="Forward")
    for n in range(18):
        k, i, j = n // 9, n % 9 // 3, n % 3
        products, sums, outputs, status = shown(page)
        right = padded[2 * i:2 * i + 3, 2 * j:2 * j + 3] * filters[..., k]
        assert np.array_equal(products, right.transpose(2, 0, 1)) and sums == right.sum(axis=(0, 1)).tolist()
        value = f"{int(expected[i, j, k])}".replace("-", "−")
        assert status.startswith(f"Step {n + 1} of 18: V[{i}, {j}, {k}] = {value}, filter {k} on rows {2 * i} to {2 * i + 2}")
        assert outputs[n] == value and outputs[n + 1:] == ["?"] * (17 - n)
        assert page.locator(".conv-total").inner_text().endswith(f"+ bias {1 - k} = {value}")
        if n < 17:
            forward.click()
    assert forward.get_attribute("aria-disabled") == "true"
    forward.press("Enter")
    assert shown(page)[3].startswith("Step 18")


@pytest.mark.parametrize("size", WIDTHS)
def test_its_controls_by_mouse_and_by_keyboard(visit, size):
    page = visit("conv-steps.html", size)
    assert page.locator(".conv-outputs").count() == 0 and not page.get_by_role("button", name="Forward").is_visible()
    page.get_by_role("button", name="27").click()
    assert "Not quite: 18." in page.locator(".figure-verdict").inner_text()
    for name, step in [("Forward", 2), ("Last", 18), ("Back", 17), ("First", 1)]:
        page.get_by_role("button", name=name).click()
        assert shown(page)[3].startswith(f"Step {step} of 18")
    page.get_by_role("button", name="V[1, 1, 0]").click()
    assert shown(page)[3].startswith("Step 5 of 18: V[1, 1, 0] = 10")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "V[1, 1, 0] = 10"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert shown(page)[3].startswith("Step 6 of 18")
    page.get_by_role("button", name="New numbers").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**seed=*")
    products, sums, _, status = shown(page)
    again = visit(f"conv-steps.html?{page.url.split('?')[1]}", size)
    assert np.array_equal(shown(again)[0], products) and shown(again)[3] == status and "Numbers of seed" in again.locator("conv-steps").inner_text()
    page.get_by_role("button", name="The chapter's numbers").click()
    assert shown(page)[3].startswith("Step 1 of 18: V[0, 0, 0] = −1")


@pytest.mark.parametrize("query", ["seed=x", "seed=-3", "seed=0", "output=19", "output=", "seed=1e9&output=1.5"])
def test_nonsense_in_the_address_is_ignored(visit, query):
    page = visit(f"conv-steps.html?{query}")
    page.get_by_role("button", name="18").click()
    assert "Right." in page.locator(".figure-verdict").inner_text() and shown(page)[3].startswith("Step 1 of 18: V[0, 0, 0] = −1")
