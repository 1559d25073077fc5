"""The living figures of chapters 02 and 04 in a browser: their numbers against TensorFlow's, their controls by mouse and by keyboard."""

import importlib.util
import itertools
import json
import re
import shutil
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import matplotlib
import nbformat
import numpy as np
import pytest
import tensorflow as tf
from axe_playwright_python.sync_playwright import Axe
from browser import serve
from conftest import ROOT, definitions, find_notebook

from tools.make.pictures import PATH, photograph

STATIC = ROOT / "book" / "_static"
DESKTOP, PHONE = dict(width=1280, height=900), dict(width=390, height=844)
TEMPLATE = """<!doctype html><html lang="en" data-theme="light"><head><meta charset="utf-8"><title>A figure</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="../_static/favicon.svg">
<link rel="stylesheet" href="../_static/pydata-sphinx-theme.css"><link rel="stylesheet" href="../_static/sphinx-book-theme.css">
<link rel="stylesheet" href="../_static/book.css"></head><body><main class="bd-content"><div class="bd-article-container"
style="box-sizing: border-box; width: 100%; max-width: 46rem; padding: 1rem"><article class="bd-article"><h1>A figure</h1>
<div>
<{tag}>
<p>The figure runs in the book's page.</p>
</{tag}>
<script type="module" src="../_static/{tag}.js"></script>
</div></article></div></main></body></html>"""
START = [1, 0, -1, 2, 0, -2, 1, 0, -1]


# ---- Pages -----------------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Serve a page for each figure, with the theme's style as in the book; return the address of their folder."""
    folder = tmp_path_factory.mktemp("figures")
    shutil.copytree(STATIC, folder / "_static")
    for package, name in [("pydata_sphinx_theme", "pydata-sphinx-theme.css"), ("sphinx_book_theme", "sphinx-book-theme.css")]:
        home = Path(importlib.util.find_spec(package).origin).parent
        shutil.copy(home / "theme" / package / "static" / "styles" / name, folder / "_static")
    (folder / "notebooks").mkdir()
    for tag in "kernel-playground", "size-lab":
        (folder / "notebooks" / f"{tag}.html").write_text(TEMPLATE.format(tag=tag), encoding="utf-8")
    return serve(folder) + "/notebooks"


@pytest.fixture
def visit(browser, address):
    """Open a figure's page: visit("size-lab", "W=5", DESKTOP). No error and no request to elsewhere may follow."""
    contexts, complaints = [], []

    def open_page(tag, query="", size=DESKTOP, **options):
        context = browser.new_context(viewport=size, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: complaints.append(f"page error: {error}"))
        page.on("console", lambda message: message.type == "error" and complaints.append(f"console: {message.text}"))
        page.on("request", lambda request: request.url.startswith(address.rsplit("/", 1)[0]) or complaints.append(f"request: {request.url}"))
        page.goto(f"{address}/{tag}.html" + (f"?{query}" if query else ""))
        if options.get("java_script_enabled", True):
            ready(page)
        return page

    open_page.complaints = complaints
    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture(scope="module")
def calculator(browser, address):
    """Call the pure functions of a module in the page: calculator("size-lab", "sizeLab", [arguments, ...]) returns the results."""
    page = browser.new_page()
    page.goto(f"{address}/size-lab.html")

    def call(module, function, cases):
        script = """async ([module, name, cases]) => {
            const call = (await import(module))[name];
            const plain = (key, value) => (ArrayBuffer.isView(value) ? [...value] : value);
            return JSON.stringify(JSON.parse(cases).map((arguments_) => call(...arguments_)), plain);
        }"""
        return json.loads(page.evaluate(script, [f"../_static/{module}.js", function, json.dumps(cases)]))

    yield call
    page.close()


def ready(page):
    """Wait until the figure has computed its result."""
    page.wait_for_function("() => document.querySelector('kernel-playground')?.output ?? document.querySelector('size-lab')?.lab")


def query_of(page):
    """Return {name: value} of the address, once the figure has had time to write it."""
    page.wait_for_timeout(500)
    return {name: values[0] for name, values in parse_qs(urlparse(page.url).query).items()}


def conv(image, kernel, stride=1):
    """Return tf.nn.conv2d of a grey image and one kernel, SAME."""
    x, w = np.asarray(image, float), np.asarray(kernel, float)
    return tf.nn.conv2d(x[None, :, :, None], w[:, :, None, None], [1, stride, stride, 1], "SAME")[0, :, :, 0].numpy()


def output_of(page):
    """Return the playground's output as an array (H, W)."""
    text = "() => JSON.stringify((({ values, H, W }) => [[...values], H, W])(document.querySelector('kernel-playground').output))"
    values, H, W = json.loads(page.evaluate(text))
    return np.reshape(values, (H, W))


def expect_output(page, image, kernel, stride=1):
    np.testing.assert_allclose(output_of(page), conv(image, kernel, stride), rtol=0, atol=1e-12)


def bright():
    """Return the playground's photograph, 0 to 1."""
    return photograph() / 255


def numbers(text):
    return [float(number.replace("−", "-")) for number in re.findall(r"[-−]?\d+(?:\.\d+)?", text)]


def live(page):
    """Return the sentence about one pixel."""
    return page.locator("kernel-playground .playground-products + p").inner_text()


# ---- The data and the pure functions ---------------------------------------------------------------------------------

def test_the_photograph_is_the_chapters():
    cells = nbformat.read(find_notebook("02"), as_version=4).cells
    [source] = [cell.source for cell in cells if cell.cell_type == "code" and "grey = rgb @" in cell.source]
    chapter = {}
    exec("import numpy as np\nimport matplotlib.pyplot as plt\n" + source, chapter)
    stored = np.frombuffer(PATH.read_bytes(), np.uint8).reshape(160, 160)
    assert np.array_equal(stored, photograph()), "run python -m tools.make.pictures"
    assert np.abs(stored / 255 - chapter["grey"]).max() <= 0.5001 / 255


def test_the_presets_are_the_chapters(calculator, visit):
    page = visit("kernel-playground", "stride=1")
    presets = page.evaluate("async () => (await import('../_static/kernel-playground.js')).PRESETS")
    chapter = definitions("02")["KERNELS"]
    assert list(presets) == list(chapter)
    for name, preset in presets.items():
        assert np.array_equal(np.reshape(preset["kernel"], (3, 3)) / preset["divisor"], chapter[name])
        assert preset["display"] == ("signed" if chapter[name].sum() == 0 else "cut")


def test_signed_colours_are_matplotlibs(calculator):
    values = np.linspace(-2, 2, 401)
    colours = calculator("figure", "divergingColour", [[value, 2] for value in values.tolist()])
    expected = matplotlib.colormaps["PuOr"]((values + 2) / 4)[:, :3] * 255
    assert np.abs(np.array(colours) - expected).max() < 3  # matplotlib has 256 steps, the figure is continuous
    assert colours[0] == [127, 59, 8] and colours[200] == [247, 247, 247] and colours[400] == [45, 0, 75]
    assert calculator("figure", "divergingColour", [[-9, 2], [9, 2], [0, 0]]) == [[127, 59, 8], [45, 0, 75], [247, 247, 247]]


def test_correlate_is_tensorflows(calculator):
    rng = np.random.default_rng(0)
    cases, expected = [], []
    for H, W, (FH, FW), stride in itertools.product([5, 6, 7, 12, 13], [5, 8, 9, 13], [(3, 3), (5, 5), (3, 5), (1, 3)], [1, 2, 3, 4]):
        image, kernel = rng.integers(0, 256, (H, W)), rng.integers(-9, 10, (FH, FW))
        cases.append([image.ravel().tolist(), H, W, kernel.ravel().tolist(), FH, FW, stride])
        expected.append(conv(image, kernel, stride))
    for result, y in zip(calculator("kernel-playground", "correlate", cases), expected):
        assert (result["H"], result["W"]) == y.shape and np.array_equal(np.reshape(result["values"], y.shape), y)  # whole numbers: exactly
    assert len(cases) == 320


def chapters_answer(W, F, S, D, P, mode):
    """Return what sizeLab has to return, from chapter 04's functions."""
    chapter = definitions("04")
    try:
        if mode == "SAME":
            before, after = chapter["same_padding"](W, F, S, D)
        else:
            before = after = P if mode == "P" else 0
        outputs = -(-W // S) if mode == "SAME" else chapter["output_size"](W, F, before, S, D)
    except ValueError as error:
        return dict(outputs=None, before=None, after=None, reach=None, unseen=None, error=str(error))
    padded = np.zeros(before + W + after, bool)
    for k in range(outputs):
        padded[k * S:k * S + D * (F - 1) + 1:D] = True
    unseen = np.flatnonzero(~padded[before:before + W]).tolist()
    return dict(outputs=outputs, before=before, after=after, reach=D * (F - 1) + 1, unseen=unseen, error=None)


def test_size_lab_is_the_chapters(calculator):
    grid = [dict(zip("WFSDP", sizes)) for sizes in itertools.product(range(1, 15), range(1, 7), range(1, 5), range(1, 4), [0, 1, 3])]
    cases = [{**sizes, "mode": mode} for sizes in grid for mode in ("P", "SAME", "VALID") if mode == "P" or sizes["P"] == 0]
    results = calculator("size-lab", "sizeLab", [[case] for case in cases])
    for case, result in zip(cases, results):
        assert result == chapters_answer(**case), case
    assert len(cases) == 5040 and sum(result["error"] is not None for result in results) > 500
    for case, result in zip(cases, results):  # and without the chapter
        if case["mode"] != "P" and case["P"] == 0 and case["W"] > 9 and not result["error"]:
            y = tf.nn.conv2d(np.ones((1, case["W"], 1, 1)), np.ones((case["F"], 1, 1, 1)), [1, case["S"], 1, 1], case["mode"], dilations=[1, case["D"], 1, 1])
            assert y.shape[1] == result["outputs"], case


@pytest.mark.parametrize("case", [dict(W=0), dict(F=-3), dict(S=0), dict(D=0), dict(P=-1), dict(W=5.5), dict(F="x"), dict(P=1.5), dict(W=2, F=9)])
@pytest.mark.parametrize("mode", ["P", "SAME", "VALID"])
def test_size_lab_refuses_with_the_chapters_sentence(calculator, case, mode):
    case = {**dict(W=10, F=4, S=3, D=1, P=0, mode=mode), **case}
    [result] = calculator("size-lab", "sizeLab", [[case]])
    expected = chapters_answer(**case) if mode == "P" or "P" not in case else chapters_answer(**{**case, "P": 0})
    assert result == expected


def test_a_drawing_survives_the_address(calculator):
    pixels = np.random.default_rng(0).integers(0, 2, 576).tolist()
    [text] = calculator("figure", "packBits", [[pixels]])
    [back] = calculator("figure", "unpackBits", [[text, 576]])
    assert re.fullmatch(r"[\w-]{96}", text) and back == pixels


# ---- The prediction --------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("tag, wrong, right", [("kernel-playground", "both", "the flag's upright stripes"), ("size-lab", "2 before and 1 after", "1 before and 2 after")])
def test_a_prediction_comes_first(visit, tag, wrong, right):
    for answer, verdict in [(wrong, f"Not quite: {right}."), (right, "Right."), ("Skip", None)]:
        page = visit(tag)
        controls = page.locator(f"{tag} input[type=radio]")
        assert not any(control.is_visible() for control in controls.all())
        page.get_by_role("button", name=answer, exact=True).press("Enter")  # with the keyboard
        said = page.locator(".figure-verdict").inner_text()
        assert said.startswith(verdict) if verdict else not said.startswith(("Right", "Not quite"))
        assert len(said) > 60 and all(control.is_visible() for control in controls.all())
        assert page.evaluate("document.activeElement.className") == "figure-verdict"


def test_the_predictions_are_true():
    """What the figures say is right, computed: the left Sobel answers to upright lines, and SAME adds (1, 2)."""
    upright, level = np.zeros((9, 9)), np.zeros((9, 9))
    upright[:, 4:], level[4:, :] = 1, 1
    kernel = np.reshape(START, (3, 3))
    assert np.any(conv(upright, kernel)[1:-1, 1:-1]) and not np.any(conv(level, kernel)[1:-1, 1:-1])
    assert np.array_equal(kernel, np.rot90(definitions("02")["KERNELS"]["top Sobel"]))
    assert definitions("04")["same_padding"](10, 4, 3) == (1, 2)
    assert definitions("04")["output_size"](10, 4, S=3) == 3 and (10 - 4) % 3 == 0


@pytest.mark.parametrize("tag, query", [("kernel-playground", "stride=2"), ("size-lab", "W=7")])
def test_a_shared_address_is_not_blocked(visit, tag, query):
    page = visit(tag, query)
    assert page.locator(".figure-gate").count() == 0
    assert page.get_by_role("radio").first.is_visible()


# ---- The playground's controls ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_playground_by_mouse(visit, size):
    page = visit("kernel-playground", size=size)
    page.get_by_role("button", name="Skip").click()
    expect_output(page, bright(), np.reshape(START, (3, 3)))
    for name, kernel in definitions("02")["KERNELS"].items():
        page.get_by_role("button", name=name, exact=True).click()
        expect_output(page, bright(), kernel)
        assert page.get_by_role("button", name=name, exact=True).get_attribute("aria-pressed") == "true"
    page.get_by_label("turned by 180°").check()
    expect_output(page, bright(), np.rot90(kernel, 2))
    for stride in "2", "3", "4":
        page.get_by_role("radio", name=stride, exact=True).check()
        expect_output(page, bright(), np.rot90(kernel, 2), int(stride))
    page.get_by_label("5 × 5").check()
    page.get_by_label("row 1, column 5").fill("-1.5")
    page.get_by_label("divided by").fill("2")
    larger = np.pad(kernel, 1).astype(float)
    larger[0, 4] = -1.5
    expect_output(page, bright(), np.rot90(larger / 2, 2), 4)
    assert query_of(page)["kernel"] == ",".join(f"{weight:g}" for weight in larger.ravel())
    page.get_by_role("button", name="Start again").click()
    expect_output(page, bright(), np.reshape(START, (3, 3)))
    assert query_of(page) == {}


def test_playground_by_keyboard_alone(visit):
    page = visit("kernel-playground")
    page.keyboard.press("Tab")
    reached = []
    for _ in range(5):  # the gate: answer the third, with Enter
        reached.append(page.evaluate("document.activeElement.textContent"))
        if reached[-1] == "both":
            page.keyboard.press("Enter")
            break
        page.keyboard.press("Tab")

    def tab_to(name):
        for _ in range(60):
            label = page.evaluate("(e => e.getAttribute('aria-label') || e.labels?.[0]?.textContent || e.textContent)(document.activeElement)")
            if label.startswith(name):
                return
            page.keyboard.press("Tab")
        raise AssertionError(f"the Tab key never reaches {name!r}")

    tab_to("blur")
    page.keyboard.press("Space")
    tab_to("row 2, column 2")
    page.keyboard.type("5")
    assert page.get_by_label("row 2, column 2").input_value() == "5"  # a field that gets the focus by Tab is selected
    kernel = np.array([[1, 2, 1], [2, 5, 2], [1, 2, 1]]) / 16
    expect_output(page, bright(), kernel)
    tab_to("Move the window right")
    page.keyboard.press("Enter")
    assert numbers(live(page))[:2] == [80, 81]
    tab_to("as written")
    page.keyboard.press("ArrowDown")
    tab_to("signed colours" if page.get_by_label("signed colours").is_checked() else "grey")
    page.keyboard.press("ArrowDown")
    tab_to("1")
    page.keyboard.press("ArrowDown")
    expect_output(page, bright(), np.rot90(kernel, 2), 2)
    assert query_of(page) == {"kernel": "1,2,1,2,5,2,1,2,1", "divisor": "16", "flip": "1", "stride": "2", "at": "80,81"}


def expect_arithmetic(page, image, kernel, stride, place):
    """Check the products and the sum of output `place` against NumPy and TensorFlow, to the three digits shown."""
    size = len(kernel)
    padding = [definitions("04")["same_padding"](len(image), size, stride)] * 2
    row, column = place[0] * stride, place[1] * stride
    patch = np.pad(image, padding)[row:row + size, column:column + size]
    cells = [numbers(text) for text in page.locator(".playground-products > div").all_inner_texts()]
    np.testing.assert_allclose([cell[0] for cell in cells], patch.ravel(), rtol=0, atol=0.0006)
    np.testing.assert_allclose([cell[2] for cell in cells], (patch * kernel).ravel(), rtol=0, atol=0.0006)
    grounds = page.evaluate("() => [...document.querySelectorAll('.playground-products > div')].map((e) => e.style.backgroundColor.match(/\\d+/g).map(Number))")
    inside = np.pad(np.ones_like(image), padding)[row:row + size, column:column + size].ravel()
    yellow, greys = [255, 243, 214], np.rint(patch.ravel() * 255)
    assert grounds == [[grey] * 3 if seen else yellow for grey, seen in zip(greys, inside)]
    assert ("Yellow: padded zeros" in live(page)) == (not inside.all())
    said = numbers(live(page))
    assert said[:3] == [*place, size * size]
    outputs = -(-len(image) // stride)
    frames = [(len(image), column - padding[0][0], row - padding[0][0], size), (outputs, place[1], place[0], 1)]
    for svg, (side, x, y, width) in zip(page.locator(".playground-pad svg").all(), frames):
        assert svg.get_attribute("viewBox") == f"0 0 {side} {side}"
        for rect in svg.locator("rect").all():
            assert [float(rect.get_attribute(name)) for name in ("x", "y", "width", "height")] == [x, y, width, width]
    np.testing.assert_allclose(said[3], conv(image, kernel, stride)[tuple(place)], rtol=0, atol=0.0006)


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("stride, side", [(1, 3), (3, 3), (2, 5), (4, 5)])
def test_the_pixel_under_the_pointer(visit, size, stride, side):
    kernel = np.random.default_rng(side).integers(-3, 4, (side, side))
    page = visit("kernel-playground", f"kernel={','.join(map(str, kernel.ravel()))}&stride={stride}", size)
    outputs = -(-160 // stride)
    result, source = page.locator(".playground-pad").nth(1), page.locator(".playground-pad").nth(0)
    for place in [(0, 0), (outputs - 1, outputs - 1), (outputs // 2, 3)]:
        box = result.bounding_box()
        result.hover(position=dict(x=(place[1] + 0.5) / outputs * box["width"], y=(place[0] + 0.5) / outputs * box["height"]))
        expect_arithmetic(page, bright(), kernel, stride, place)
    box = source.bounding_box()
    source.click(position=dict(x=60.5 / 160 * box["width"], y=100.5 / 160 * box["height"]))
    before = definitions("04")["same_padding"](160, side, stride)[0]
    place = [(2 * (at + before - side // 2) + stride) // (2 * stride) for at in (100, 60)]  # the nearest window; the later of two
    expect_arithmetic(page, bright(), kernel, stride, place)
    assert query_of(page)["at"] == "100,60"


def test_the_pixel_under_the_keyboard(visit):
    kernel = np.arange(9).reshape(3, 3) - 3
    page = visit("kernel-playground", f"kernel={','.join(map(str, kernel.ravel()))}&stride=3&at=80,80")
    result = page.get_by_role("application").nth(1)
    start = [round((80 + 1 - 1) / 3)] * 2
    expect_arithmetic(page, bright(), kernel, 3, start)
    for key, place in [("ArrowRight", [27, 28]), ("ArrowDown", [28, 28]), ("ArrowLeft", [28, 27]), ("ArrowUp", [27, 27])]:
        result.press(key)
        expect_arithmetic(page, bright(), kernel, 3, place)
    for _ in range(30):
        result.press("ArrowUp")
        result.press("ArrowLeft")
    expect_arithmetic(page, bright(), kernel, 3, [0, 0])
    assert "Yellow: padded zeros" in live(page)


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_drawing(visit, size):
    page = visit("kernel-playground", "kernel=-2,-1,0,-1,1,1,0,1,2", size, has_touch=size is PHONE)
    page.get_by_label("your drawing").check()
    kernel = definitions("02")["KERNELS"]["emboss"]
    page.get_by_role("button", name="nothing").click()
    assert [canvas.get_attribute("aria-label").split(":")[0] for canvas in page.locator("canvas").all()] == ["Your drawing", "The output"]
    image = np.zeros((24, 24))
    expect_output(page, image, kernel)
    pad = page.locator(".playground-pad").first
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()

    def spot(row, column):
        return box["x"] + (column + 0.5) / 24 * box["width"], box["y"] + (row + 0.5) / 24 * box["height"]

    page.mouse.move(*spot(2, 3))
    page.mouse.down()
    page.mouse.move(*spot(2, 20))  # in one jump: the line between is drawn too
    page.mouse.up()
    page.mouse.move(*spot(10, 10))
    image[2, 3:21] = 1
    expect_output(page, image, kernel)
    if size is PHONE:
        page.touchscreen.tap(*spot(20, 5))
    else:
        page.mouse.click(*spot(20, 5))
    image[20, 5] = 1
    expect_output(page, image, kernel)
    page.mouse.click(*spot(2, 4))  # a white pixel becomes black
    image[2, 4] = 0
    expect_output(page, image, kernel)
    pad.press("ArrowDown")
    pad.press("ArrowRight")
    pad.press("Space")
    image[3, 5] = 1
    expect_output(page, image, kernel)
    assert query_of(page)["source"] == "draw"
    again = visit("kernel-playground", urlparse(page.url).query, size)
    expect_output(again, image, kernel)
    page.get_by_role("button", name="one pixel").click()
    delta = np.zeros((24, 24))
    delta[12, 12] = 1
    expect_output(page, delta, kernel)  # the answer to one pixel is the kernel, turned
    np.testing.assert_array_equal(output_of(page)[11:14, 11:14], np.rot90(kernel, 2))


def test_the_canvas_shows_the_values(visit):
    page = visit("kernel-playground", "kernel=1,2,1,0,0,0,-1,-2,-1&stride=2")
    script = """() => JSON.stringify([...document.querySelectorAll('kernel-playground canvas')]
        .map((c) => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]))"""
    y = conv(bright(), definitions("02")["KERNELS"]["top Sobel"], 2)
    limit = np.abs(y[:-1, :-1]).max()  # 160, F = 3, S = 2: the one zero lies after
    photo, signed = json.loads(page.evaluate(script))
    assert np.array_equal(np.reshape(photo, (160, 160, 4))[:, :, 0], photograph())
    expected = matplotlib.colormaps["PuOr"]((y + limit) / (2 * limit))[:, :, :3] * 255
    assert np.abs(np.reshape(signed, (80, 80, 4))[:, :, :3] - expected).max() < 3
    page.get_by_label("grey, cut to 0 … 1").check()
    cut = np.reshape(json.loads(page.evaluate(script))[1], (80, 80, 4))[:, :, 0]
    assert np.abs(cut - np.clip(y, 0, 1) * 255).max() <= 0.5001
    for label, ends, colours, words in [("grey, cut to 0 … 1", [0, 1], ["black", "white"], "0 and less black, 1 and more white"),
                                        ("signed colours", [-limit, 0, limit], ["rgb(127, 59, 8)", "rgb(247, 247, 247)", "rgb(45, 0, 75)"], "orange below 0")]:
        page.get_by_label(label).check()
        np.testing.assert_allclose(numbers(page.locator(".playground-legend").inner_text()), ends, atol=0.0051)
        gradient = page.locator(".playground-legend div").get_attribute("style")
        places = [gradient.find(colour) for colour in colours]
        assert -1 not in places and places == sorted(places)
        assert words in page.locator("canvas").last.get_attribute("aria-label")
    assert page.evaluate("getComputedStyle(document.querySelector('canvas')).filter") == "none"


def test_the_kernel_sum_has_a_sentence(visit):
    page = visit("kernel-playground", "stride=1")
    for kernel, divisor, words in [("blur", None, "keep their brightness"), ("edge", None, "become 0"), ([1] * 9, 1, "become 9 times"), ([0, 0, 0, 0, -2, 0, 0, 0, 0], 1, "negative"), ([1] * 9, 18, "0.5 times what they were, darker")]:
        if isinstance(kernel, str):
            page.get_by_role("button", name=kernel, exact=True).click()
        else:
            for field, weight in zip(page.locator(".playground-kernel input").all(), kernel):
                field.fill(str(weight))
            page.get_by_label("divided by").fill(str(divisor))
        assert words in page.get_by_text("The weights add up to").inner_text()


def test_a_weight_that_is_no_number_is_named(visit):
    page = visit("kernel-playground", "stride=1")
    field = page.get_by_label("row 2, column 3")
    for text in "", "99999":
        field.fill(text)
        assert "row 2, column 3 must be a number" in page.get_by_role("alert").all_inner_texts()[-1]
        assert field.get_attribute("aria-invalid") == "true"
        expect_output(page, bright(), np.reshape(START, (3, 3)))
    field.fill("3")
    page.get_by_label("divided by").fill("0")
    assert "divisor must be a number" in page.get_by_role("alert").all_inner_texts()[-1]
    page.get_by_label("divided by").fill("4")
    assert page.locator(".figure-error:not(:empty)").count() == 0
    expect_output(page, bright(), np.array([[1, 0, -1], [2, 0, 3], [1, 0, -1]]) / 4)


def test_playground_state_in_the_address(visit):
    kernel = np.arange(25) - 12
    drawing = "_" * 48 + "A" * 48  # the upper half is white
    page = visit("kernel-playground", f"kernel={','.join(map(str, kernel))}&divisor=4&flip=1&stride=3&display=cut&source=draw&drawing={drawing}&at=3,20#top")
    image = np.zeros((24, 24))
    image[:12] = 1
    expect_output(page, image, np.rot90(kernel.reshape(5, 5) / 4, 2), 3)
    for label in "turned by 180°", "grey, cut", "your drawing", "5 × 5", "3":
        assert page.get_by_role("radio", name=re.compile(f"^{label}$" if label == "3" else f"^{label}")).first.is_checked()
    assert numbers(live(page))[:2] == [1, 6]  # of the windows centred on 16, 19 and 22, the second is nearest to 20
    page.get_by_role("radio", name="4", exact=True).check()
    assert query_of(page) == {"kernel": ",".join(map(str, kernel)), "divisor": "4", "flip": "1", "stride": "4", "display": "cut",
                              "source": "draw", "drawing": drawing, "at": "3,20"}
    assert page.url.endswith("#top") and "%2C" not in page.url
    page.get_by_label("signed colours").check()
    assert "display" not in query_of(page)
    page.get_by_label("grey, cut to 0 … 1").check()
    assert query_of(page)["display"] == "cut"


def test_playground_ignores_nonsense(visit):
    page = visit("kernel-playground")
    for query in ["kernel=1,2,3", "kernel=1,2,1,2,x,2,1,2,1", "kernel=,,,,,,,,", "kernel=1e99,0,0,0,0,0,0,0,0", "divisor=0", "divisor=NaN", "stride=0",
                  "stride=5", "stride=1.5", "flip=maybe", "display=<b>", "source=cat", "drawing=short", "at=5", "at=-1,5", "at=900,5",
                  "kernel=%00&stride=&at=,", "utm_source=x", "source=constructor"]:
        page.goto(page.url.split("?")[0] + f"?{query}")
        ready(page)
        assert page.locator(".figure-gate").is_visible(), query
        page.get_by_role("button", name="Skip").click()
        expect_output(page, bright(), np.reshape(START, (3, 3)))


def test_the_playground_without_its_photograph(visit):
    page = visit("kernel-playground", "stride=1")
    page.route("**/photograph.bin", lambda route: route.abort())
    page.reload()
    ready(page)
    assert "did not load" in page.locator(".figure-error:not(:empty)").inner_text()
    page.get_by_label("your drawing").check()
    square = np.pad(np.ones((8, 8)), 8)
    expect_output(page, square, np.reshape(START, (3, 3)))
    visit.complaints.clear()  # the browser's own line about the file that is not there


# ---- The size lab's controls -----------------------------------------------------------------------------------------

def shown(page):
    """Return what the size lab shows: (outputs, before, after) and the windows' count."""
    text = page.locator(".lab-result").inner_text()
    outputs, before, after = map(int, re.match(r"(\d+) outputs?\. Padding: (\d+) zeros? before \(left or top\), (\d+) after \(right or bottom\)", text).groups())
    total = int(re.search(r"of (\d+)", page.locator("size-lab .figure-row p").first.inner_text())[1])
    assert total == outputs
    return outputs, before, after


def expect_lab(page, **case):
    case = {**dict(P=0), **case}
    right = chapters_answer(**case)
    assert shown(page) == (right["outputs"], right["before"], right["after"]), case
    fills = page.evaluate("() => [...document.querySelectorAll('.lab-stage rect[stroke=black]')].map(r => r.getAttribute('fill'))")
    W, before, after = case["W"], right["before"], right["after"]
    colours = ["#FFF3D6"] * before + ["#999999" if cell in right["unseen"] else "#FFFFFF" for cell in range(W)] + ["#FFF3D6"] * after
    assert fills == colours
    text = page.locator(".lab-result").inner_text()
    if right["unseen"]:
        assert re.search(rf"{len(right['unseen'])} pixels? (is|are) never seen", text)
    else:
        assert "Every pixel is seen" in text
    assert page.locator(".lab-formula span").all_inner_texts() == formula(**case, **right)


def formula(W, F, S, D, P, mode, outputs, before, after, **others):
    """Return the lines of chapter 04's formula, filled in."""
    if mode == "SAME":
        missing = f"{(outputs - 1) * S + D * (F - 1) + 1 - W}".replace("-", "−")
        return ["outputs = ⌈W / S⌉", f"= ⌈{W} / {S}⌉ = {outputs}", "zeros = max((outputs − 1) · S + D · (F − 1) + 1 − W, 0)",
                f"= max({outputs - 1} · {S} + {D} · {F - 1} + 1 − {W}, 0) = max({missing}, 0) = {before + after}"]
    return ["outputs = ⌊(W − D · (F − 1) − 1 + 2P) / S⌋ + 1" + (", P = 0" if mode == "VALID" else ""),
            f"= ⌊({W} − {D} · {F - 1} − 1 + 2 · {P}) / {S}⌋ + 1", f"= ⌊{W - D * (F - 1) - 1 + 2 * P} / {S}⌋ + 1 = {outputs}"]


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_size_lab_by_mouse(visit, size):
    page = visit("size-lab", size=size)
    page.get_by_role("button", name="1 before and 1 after").click()
    expect_lab(page, W=10, F=4, S=3, D=1, mode="SAME")
    page.get_by_role("radio", name="VALID").check()
    expect_lab(page, W=10, F=4, S=3, D=1, mode="VALID")
    page.get_by_label("P zeros on each side").check()
    for name, value in [("P, zeros", 2), ("W, input", 13), ("F, window", 3), ("S, stride", 2), ("D, dilation", 2)]:
        page.get_by_label(name, exact=True).fill(str(value))
    expect_lab(page, W=13, F=3, S=2, D=2, P=2, mode="P")
    assert page.get_by_label("W, input, slider").input_value() == "13"
    slider = page.get_by_label("S, stride, slider")
    box = slider.bounding_box()
    slider.click(position=dict(x=box["width"] - 2, y=box["height"] / 2))
    assert page.get_by_label("S, stride", exact=True).input_value() == "8"
    expect_lab(page, W=13, F=3, S=8, D=2, P=2, mode="P")
    page.get_by_role("button", name="Forward").click()
    assert page.get_by_text("Window 2 of 2 sees x6, x8, x10").is_visible()
    page.get_by_role("button", name="Forward").click(force=True)  # no further: the button says that it is disabled
    page.get_by_role("button", name="Back").click()
    assert page.get_by_text("Window 1 of 2 sees 0, x0, x2").is_visible()
    page.get_by_label("W, input", exact=True).fill("227")
    page.get_by_label("F, window", exact=True).fill("11")
    page.get_by_label("S, stride", exact=True).fill("4")
    page.get_by_label("D, dilation", exact=True).fill("1")
    page.get_by_role("radio", name="VALID").check()
    expect_lab(page, W=227, F=11, S=4, D=1, mode="VALID")  # AlexNet's 55
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_size_lab_by_keyboard(visit):
    page = visit("size-lab", "W=13&F=6&S=5&D=1&mode=SAME")
    stage = page.get_by_role("slider", name="Window", exact=True)
    seen = []
    for key in [None, "ArrowRight", "ArrowRight", "ArrowRight", "ArrowLeft", "Home", "End"]:
        if key:
            stage.press(key)
        seen.append(stage.get_attribute("aria-valuenow"))
    assert seen == ["1", "2", "3", "3", "2", "1", "3"]
    assert stage.get_attribute("aria-valuetext") == "Window 3 of 3 sees x9, x10, x11, x12, 0, 0"
    assert query_of(page) == dict(W="13", F="6", S="5", D="1", mode="SAME", step="3")
    page.get_by_label("W, input, slider").press("ArrowRight")
    expect_lab(page, W=14, F=6, S=5, D=1, mode="SAME")
    page.get_by_label("F, window", exact=True).press("ArrowDown")
    expect_lab(page, W=14, F=5, S=5, D=1, mode="SAME")
    page.get_by_role("radio", name="SAME").press("ArrowDown")
    expect_lab(page, W=14, F=5, S=5, D=1, mode="VALID")
    assert stage.get_attribute("aria-valuenow") == "1"


def test_the_window_stays_in_view(visit):
    page = visit("size-lab", "W=40&F=3&S=1&D=1&mode=VALID", PHONE)
    stage = page.get_by_role("slider", name="Window", exact=True)
    for key in "End", "Home", "End":
        stage.press(key)
        box, view = page.locator("rect.lab-current").first.bounding_box(), stage.bounding_box()
        assert view["x"] <= box["x"] and box["x"] + 3 * box["width"] <= view["x"] + view["width"] + 3
    page.set_viewport_size(DESKTOP)
    assert page.locator("rect.lab-current").count() == 3


@pytest.mark.parametrize("case", [dict(W=10, F=3, S=2, D=2, P=0, mode="SAME"), dict(W=12, F=3, S=1, D=3, P=2, mode="P"), dict(W=9, F=2, S=4, D=1, P=0, mode="VALID")])
def test_the_windows_are_drawn_where_they_look(visit, case):
    page = visit("size-lab", "&".join(f"{name}={value}" for name, value in case.items()) + "&step=2")
    before = chapters_answer(**case)["before"]
    names, windows, frames = page.evaluate("""() => {
        const places = (rects) => [...rects].map((rect) => [Math.round(rect.getBBox().y), Math.round(rect.getBBox().x + rect.getBBox().width / 2)]);
        const row = [...document.querySelectorAll('.lab-stage rect[stroke=black]')];
        return [row.map((rect) => [Math.round(rect.getBBox().x + rect.getBBox().width / 2), rect.nextElementSibling.textContent]),
            places(document.querySelectorAll('.lab-stage rect:not([stroke=black], [stroke-width="3"])')), places(document.querySelectorAll('.lab-stage rect[stroke-width="3"]'))];
    }""")
    name = dict(names)  # the cell above each place
    drawn = {y: [name[x] for _, x in group] for y, group in itertools.groupby(windows, lambda window: window[0])}
    sees = [[f"x{cell}" if 0 <= cell < case["W"] else "0" for cell in range(k * case["S"] - before, k * case["S"] - before + case["D"] * case["F"], case["D"])]
            for k in range(chapters_answer(**case)["outputs"])]
    assert list(drawn.values()) == sees[:8]
    assert [name[x] for _, x in frames] == sees[1]
    assert page.get_by_text(f"Window 2 of {len(sees)} sees {', '.join(sees[1])}", exact=True).is_visible()


@pytest.mark.parametrize("field, value, reason", [
    ("W, input", "2", "a window of 4 pixels (F=4, D=1) does not fit into 2 (W=2, P=0)"), ("W, input", "2.5", "W must be an integer >= 1, got 2.5"),
    ("F, window", "0", "F must be an integer >= 1, got 0"), ("S, stride", "-1", "S must be an integer >= 1, got -1"),
    ("D, dilation", "", "D must be an integer >= 1, got ''"), ("W, input", "9999", "W = 9999 is more than this figure draws (256)"),
])
def test_invalid_settings_are_explained(visit, field, value, reason):
    page = visit("size-lab", "W=10&F=4&S=3&D=1&mode=VALID")
    page.get_by_label(field, exact=True).fill(value)
    text = page.get_by_role("alert").inner_text()
    assert text.startswith(f"No output: {reason}. ") or text.strip() == f"No output: {reason}."
    assert not page.locator(".lab-stage").is_visible() and not page.locator(".lab-result").is_visible()
    if "fit" not in reason:
        assert page.get_by_label(field, exact=True).get_attribute("aria-invalid") == "true"
    page.get_by_label(field, exact=True).fill("4" if field[0] in "WF" else "1")
    assert page.get_by_role("alert").inner_text() == "" and page.locator(".lab-stage").is_visible()
    assert page.locator("[aria-invalid]").count() == 0


def test_size_lab_state_in_the_address(visit):
    page = visit("size-lab", "W=9&F=3&S=2&D=2&P=1&mode=P&step=3")
    expect_lab(page, W=9, F=3, S=2, D=2, P=1, mode="P")
    assert page.get_by_text("Window 3 of 4 sees x3, x5, x7").is_visible()
    assert page.get_by_label("P, zeros", exact=True).input_value() == "1"
    page.get_by_role("radio", name="SAME").check()
    assert query_of(page) == dict(W="9", F="3", S="2", D="2", mode="SAME")


def test_size_lab_ignores_nonsense(visit):
    page = visit("size-lab")
    for query in "W=0", "W=257", "W=ten", "F=1.5", "S=-2", "D=", "P=99", "mode=same", "mode=__proto__", "step=0", "W=1e3&F=%00", "step=4":
        page.goto(page.url.split("?")[0] + f"?{query}")
        ready(page)
        assert page.locator(".figure-gate").is_visible(), query
        page.get_by_role("button", name="Skip").click()
        expect_lab(page, W=10, F=4, S=3, D=1, mode="SAME")


# ---- Page and figure -------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("tag, query, role", [("kernel-playground", "stride=2", "application"), ("kernel-playground", "source=draw", "application"), ("size-lab", "W=30&S=1", "slider")])
def test_keys_for_the_figure_do_not_scroll_the_page(visit, tag, query, role):
    page = visit(tag, query)
    page.add_style_tag(content="body { padding: 100vh 0 }")
    page.locator(f"{tag} [role={role}]").first.focus()
    page.evaluate("scrollTo(0, 500)")
    for key in "ArrowDown", "ArrowDown", "ArrowUp", *(["End", "Home"] if role == "slider" else []), *(["Space"] if "draw" in query else []):
        page.keyboard.press(key)
        page.wait_for_timeout(200)
        assert page.evaluate("scrollY") == 500, key
    page.keyboard.press("PageDown")  # every other key is the page's
    page.wait_for_function("scrollY > 500")


def swipe(page, box, start, end):
    """Move a finger over the shares `start` to `end` of a box, as a touch screen tells the browser."""
    session = page.context.new_cdp_session(page)
    for k in range(11):
        x, y = [at + share * length for at, share, length in zip((box["x"], box["y"]), [a + k / 10 * (b - a) for a, b in zip(start, end)], (box["width"], box["height"]))]
        session.send("Input.dispatchTouchEvent", {"type": "touchMove" if k else "touchStart", "touchPoints": [dict(x=x, y=y)]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.wait_for_timeout(300)


def test_a_finger_draws_on_the_drawing_and_scrolls_on_the_photograph(visit):
    page = visit("kernel-playground", "kernel=0,0,0,0,1,0,0,0,0&source=draw", PHONE, has_touch=True, is_mobile=True)
    page.add_style_tag(content="body { padding: 50vh 0 100vh }")
    pad = page.locator(".playground-pad").first
    page.get_by_role("button", name="nothing").click()
    pad.scroll_into_view_if_needed()
    before = page.evaluate("scrollY")
    swipe(page, pad.bounding_box(), (5.5 / 24, 22.5 / 24), (5.5 / 24, 2.5 / 24))
    column = np.zeros((24, 24))
    column[2:23, 5] = 1
    np.testing.assert_array_equal(output_of(page), column)
    assert page.evaluate("scrollY") == before
    page.get_by_label("the photograph").check()
    before = page.evaluate("scrollY")
    swipe(page, pad.bounding_box(), (0.5, 0.9), (0.5, 0.3))
    assert page.evaluate("scrollY") > before + 50


def test_the_focus_stays_where_it_was(visit):
    page = visit("size-lab", "W=10&F=4&S=3&mode=SAME")
    for name in ["Forward"] * 4 + ["Back"] * 4:  # to the end and beyond
        page.get_by_role("button", name=name).press("Enter")
        assert page.evaluate("document.activeElement.textContent") == name
    for key in "ArrowRight", "End", "Home":
        page.get_by_role("slider", name="Window", exact=True).press(key)
        assert page.evaluate("document.activeElement.className") == "lab-stage"
    page = visit("kernel-playground", "at=0,0")
    for name in "up", "left", "down", "right":
        page.get_by_role("button", name=f"Move the window {name}").press("Enter")
        assert page.evaluate("document.activeElement.getAttribute('aria-label')") == f"Move the window {name}"
    page.locator(".playground-pad").first.press("ArrowRight")
    assert page.evaluate("document.activeElement.className") == "playground-pad"
    page.get_by_label("row 1, column 1").fill("")
    page.get_by_label("row 1, column 1").press_sequentially("-1.25")
    assert page.get_by_label("row 1, column 1").input_value() == "-1.25"
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "row 1, column 1"
    page.get_by_role("button", name="blur").press("Enter")
    assert page.evaluate("document.activeElement.textContent") == "blur"


# ---- Everybody -------------------------------------------------------------------------------------------------------

STATES = {"kernel-playground": ["", "stride=1", "source=draw&kernel=" + ",".join("1" * 25) + "&at=0,0", "display=cut"],
          "size-lab": ["", "W=30&F=3&S=2&P=2&mode=P&step=9", "W=2&F=5&mode=VALID"]}
EVERY = [(tag, query) for tag, queries in STATES.items() for query in queries]


@pytest.mark.parametrize("tag, query", EVERY)
def test_nothing_is_wider_than_a_small_phone(visit, tag, query):
    page = visit(tag, query, dict(width=360, height=740))
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    boxes = page.evaluate("""tag => [...document.querySelectorAll(`${tag} :is(button, input)`)].filter((e) => e.checkVisibility()).map((e) => {
        const { left, right, width, height } = (e.type === 'radio' ? e.parentElement : e).getBoundingClientRect();
        return [e.outerHTML, left, right, width, height];
    })""", tag)
    assert len(boxes) >= 6
    for html, left, right, width, height in boxes:
        assert 0 <= left and right <= 360 and min(width, height) >= 44, html


@pytest.mark.parametrize("tag, query", EVERY)
def test_axe_finds_nothing(visit, tag, query):
    page = visit(tag, query)
    for size, theme in [(DESKTOP, "light"), (PHONE, "dark")]:
        page.set_viewport_size(size)
        page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
        violations = Axe().run(page).response["violations"]
        assert violations == [], json.dumps([(v["id"], [(n["html"], n.get("failureSummary")) for n in v["nodes"]]) for v in violations], indent=1)
        for picture in page.locator(f"{tag} canvas:visible").all():
            assert len(picture.get_attribute("aria-label")) > 40 and picture.get_attribute("role") == "img"


CONTRASTS = """tag => {
    const parse = (text) => text.match(/[\\d.]+/g).map(Number);
    const light = (text) => parse(text).slice(0, 3).map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const contrast = (one, other) => { const [a, b] = [light(one), light(other)].sort((x, y) => y - x); return (a + 0.05) / (b + 0.05); };
    const ground = (e) => { for (; ; e = e.parentElement) { const { backgroundColor } = getComputedStyle(e); if (parse(backgroundColor)[3] !== 0) return backgroundColor; } };
    const seen = (query) => [...document.querySelectorAll(query)].filter((e) => e.checkVisibility());
    const borders = seen(`${tag} :is(button, input[type=number], .lab-key i, .playground-legend div)`)
        .map((e) => ['border', e.outerHTML, contrast(getComputedStyle(e).borderTopColor, ground(e.parentElement))]);
    const strokes = seen(`${tag} .lab-stage rect[fill=none]:not([stroke-width="3"])`).map((e) => ['stroke', e.outerHTML, contrast(getComputedStyle(e).stroke, ground(e.closest('div')))]);
    const texts = seen(`${tag} .lab-stage text`).map((e) => ['text', e.outerHTML, contrast(getComputedStyle(e).fill, getComputedStyle(e.previousElementSibling).fill)]);
    const signs = seen(`${tag} [data-closed] .playground-pad`).map((e) => ['sign', e.outerHTML, contrast(getComputedStyle(e, '::after').color, ground(e))]);
    return [...borders, ...strokes, ...texts, ...signs];
}"""


@pytest.mark.parametrize("tag, query", EVERY)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_lines_and_signs_are_seen(visit, tag, query, theme):
    """What axe does not look at: borders, the signs of a drawing and its lines (whose place says the same as their colour)."""
    page = visit(tag, query)
    page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
    page.wait_for_timeout(300)  # the theme's colours may fade
    found = page.evaluate(CONTRASTS, tag)
    assert len(found) >= 4
    for kind, html, contrast in found:
        assert contrast >= dict(border=3, stroke=2, text=4.5, sign=3)[kind], (html, contrast)


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("tag", STATES)
def test_its_place_is_reserved(visit, tag, size):
    page = visit(tag, size=size)
    height = page.locator(tag).bounding_box()["height"]
    page.route(f"**/{tag}.js", lambda route: route.abort())
    page.reload()
    assert abs(page.locator(tag).bounding_box()["height"] - height) <= 80  # the book's column is a little wider or narrower than here
    visit.complaints.clear()  # the browser's own line about the script that is not there


@pytest.mark.parametrize("width", [360, 390])
def test_the_first_row_fits_a_phone(visit, width):
    page = visit("size-lab", "W=10&F=4&S=3&mode=SAME", dict(width=width, height=740))
    assert page.locator(".lab-stage").evaluate("stage => stage.scrollWidth <= stage.clientWidth")  # both zeros after the row are seen


@pytest.mark.parametrize("tag", STATES)
def test_without_javascript_a_sentence_stands_there(visit, tag):
    page = visit(tag, java_script_enabled=False)
    assert page.locator(tag).inner_text() == "The figure runs in the book's page."
