"""The kernel playground in a browser: its output is TensorFlow's, by mouse, finger and keyboard."""

import json
import re
from urllib.parse import urlparse

import matplotlib
import numpy as np
import pytest
from browser import DESKTOP, PHONE
from conftest import definitions
from figure_models import call
from figure_pages import expect_query
from oracles import conv

from tools.make.pictures import photograph

pytest_plugins = ["figure_pages"]

START = [1, 0, -1, 2, 0, -2, 1, 0, -1]
SIZES = pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])


def output_of(page):
    """Return the playground's output as an array (H, W)."""
    values, H, W = page.evaluate("""() => {
        const { values, H, W } = document.querySelector("kernel-playground").result.output;
        return [[...values], H, W];
    }""")
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
    return page.locator("kernel-playground .products + p").inner_text()


@SIZES
def test_playground_by_mouse(figure, size):
    page = figure("kernel-playground", size=size)
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
    expect_query(page, kernel=",".join(f"{weight:g}" for weight in larger.ravel()), divisor=2,
                 flip=1, display="cut", stride=4)
    page.get_by_role("button", name="Start again").click()
    expect_output(page, bright(), np.reshape(START, (3, 3)))
    expect_query(page, **{})


def test_playground_by_keyboard_alone(figure):
    page = figure("kernel-playground")
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
    expect_query(page, **{"kernel": "1,2,1,2,5,2,1,2,1", "divisor": "16", "flip": "1", "stride": "2", "at": "80,81"})


def expect_arithmetic(page, image, kernel, stride, place):
    """Check the products and the sum of output `place` against NumPy and TensorFlow, to the three digits shown."""
    size = len(kernel)
    padding = [definitions("04")["same_padding"](len(image), size, stride)] * 2
    row, column = place[0] * stride, place[1] * stride
    patch = np.pad(image, padding)[row:row + size, column:column + size]
    cells = [numbers(text) for text in page.locator(".products > div").all_inner_texts()]
    np.testing.assert_allclose([cell[0] for cell in cells], patch.ravel(), rtol=0, atol=0.0006)
    np.testing.assert_allclose([cell[2] for cell in cells], (patch * kernel).ravel(), rtol=0, atol=0.0006)
    grounds = page.evaluate("() => [...document.querySelectorAll('.products > div')].map((e) => e.style.backgroundColor.match(/\\d+/g).map(Number))")
    inside = np.pad(np.ones_like(image), padding)[row:row + size, column:column + size].ravel()
    yellow, greys = [255, 243, 214], np.rint(patch.ravel() * 255)
    assert grounds == [[grey] * 3 if seen else yellow for grey, seen in zip(greys, inside)]
    assert ("Yellow: padded zeros" in live(page)) == (not inside.all())
    said = numbers(live(page))
    assert said[:3] == [*place, size * size]
    outputs = -(-len(image) // stride)
    frames = [(len(image), column - padding[0][0], row - padding[0][0], size), (outputs, place[1], place[0], 1)]
    for svg, (side, x, y, width) in zip(page.locator(".figure-pad svg").all(), frames):
        assert svg.get_attribute("viewBox") == f"0 0 {side} {side}"
        for rect in svg.locator("rect").all():
            assert [float(rect.get_attribute(name)) for name in ("x", "y", "width", "height")] == [x, y, width, width]
    np.testing.assert_allclose(said[3], conv(image, kernel, stride)[tuple(place)], rtol=0, atol=0.0006)


@SIZES
@pytest.mark.parametrize("stride, side", [(1, 3), (3, 3), (2, 5), (4, 5)])
def test_the_pixel_under_the_pointer(figure, size, stride, side):
    kernel = np.random.default_rng(side).integers(-3, 4, (side, side))
    page = figure("kernel-playground", f"kernel={','.join(map(str, kernel.ravel()))}&stride={stride}", size)
    outputs = -(-160 // stride)
    result, source = page.locator(".figure-pad").nth(1), page.locator(".figure-pad").nth(0)
    for place in [(0, 0), (outputs - 1, outputs - 1), (outputs // 2, 3)]:
        box = result.bounding_box()
        result.hover(position=dict(x=(place[1] + 0.5) / outputs * box["width"], y=(place[0] + 0.5) / outputs * box["height"]))
        expect_arithmetic(page, bright(), kernel, stride, place)
    box = source.bounding_box()
    source.click(position=dict(x=60.5 / 160 * box["width"], y=100.5 / 160 * box["height"]))
    before = definitions("04")["same_padding"](160, side, stride)[0]
    place = [(2 * (at + before - side // 2) + stride) // (2 * stride) for at in (100, 60)]  # the nearest window; the later of two
    expect_arithmetic(page, bright(), kernel, stride, place)
    page.wait_for_url("**at=100,60*")


def test_the_pixel_under_the_keyboard(figure):
    kernel = np.arange(9).reshape(3, 3) - 3
    page = figure("kernel-playground", f"kernel={','.join(map(str, kernel.ravel()))}&stride=3&at=80,80")
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


@SIZES
def test_drawing(figure, size):
    page = figure("kernel-playground", "kernel=-2,-1,0,-1,1,1,0,1,2", size, has_touch=size is PHONE)
    page.get_by_label("your drawing").check()
    kernel = definitions("02")["KERNELS"]["emboss"]
    page.get_by_role("button", name="nothing").click()
    assert [canvas.get_attribute("aria-label").split(":")[0] for canvas in page.locator("canvas").all()] == ["Your drawing", "The output"]
    image = np.zeros((24, 24))
    expect_output(page, image, kernel)
    pad = page.locator(".figure-pad").first
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
    pad.evaluate("pad => pad.addEventListener('pointermove', (event) => { pad.seen = event; })")
    page.mouse.move(*spot(2, 4.2))
    pad.press("ArrowDown")
    pad.press("ArrowRight")
    # What a browser does when the page moves under a pointer at rest; the keyboard keeps its place.
    pad.evaluate("pad => pad.dispatchEvent(new PointerEvent('pointermove', pad.seen))")
    pad.press("Space")
    image[3, 5] = 1
    expect_output(page, image, kernel)
    [text] = call("shared/parse.js", "packBits", [[image.astype(int).ravel().tolist()]])
    page.wait_for_url(f"**source=draw&drawing={text}&at=3,5*")
    again = figure("kernel-playground", urlparse(page.url).query, size)
    expect_output(again, image, kernel)
    page.get_by_role("button", name="one pixel").click()
    delta = np.zeros((24, 24))
    delta[12, 12] = 1
    expect_output(page, delta, kernel)  # the answer to one pixel is the kernel, turned
    np.testing.assert_array_equal(output_of(page)[11:14, 11:14], np.rot90(kernel, 2))


def test_the_canvas_shows_the_values(figure):
    page = figure("kernel-playground", "kernel=1,2,1,0,0,0,-1,-2,-1&stride=2")
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
        np.testing.assert_allclose(numbers(page.locator(".legend").inner_text()), ends, atol=0.0051)
        gradient = page.locator(".legend div").evaluate("bar => bar.style.background")
        places = [gradient.find(colour) for colour in colours]
        assert -1 not in places and places == sorted(places)
        assert words in page.locator("canvas").last.get_attribute("aria-label")
    assert page.evaluate("getComputedStyle(document.querySelector('canvas')).filter") == "none"
    figure.problems[:] = [what for what in figure.problems if "willReadFrequently" not in what]  # this test reads


def test_the_kernel_sum_has_a_sentence(figure):
    page = figure("kernel-playground", "stride=1")
    for kernel, divisor, words in [("blur", None, "keep their brightness"), ("edge", None, "become 0"), ([1] * 9, 1, "become 9 times"), ([0, 0, 0, 0, -2, 0, 0, 0, 0], 1, "negative"), ([1] * 9, 18, "0.5 times what they were, darker")]:
        if isinstance(kernel, str):
            page.get_by_role("button", name=kernel, exact=True).click()
        else:
            for field, weight in zip(page.locator(".weights input").all(), kernel):
                field.fill(str(weight))
            page.get_by_label("divided by").fill(str(divisor))
        assert words in page.get_by_text("The weights add up to").inner_text()


def test_a_weight_that_is_no_number_is_named(figure):
    page = figure("kernel-playground", "stride=1")
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


def test_playground_state_in_the_address(figure):
    kernel = np.arange(25) - 12
    drawing = "_" * 48 + "A" * 48  # the upper half is white
    page = figure("kernel-playground", f"kernel={','.join(map(str, kernel))}&divisor=4&flip=1&stride=3&display=cut&source=draw&drawing={drawing}&at=3,20#top")
    image = np.zeros((24, 24))
    image[:12] = 1
    expect_output(page, image, np.rot90(kernel.reshape(5, 5) / 4, 2), 3)
    for label in "turned by 180°", "grey, cut", "your drawing", "5 × 5", "3":
        assert page.get_by_role("radio", name=re.compile(f"^{label}$" if label == "3" else f"^{label}")).first.is_checked()
    assert numbers(live(page))[:2] == [1, 6]  # of the windows centred on 16, 19 and 22, the second is nearest to 20
    page.get_by_role("radio", name="4", exact=True).check()
    expect_query(page, **{"kernel": ",".join(map(str, kernel)), "divisor": "4", "flip": "1", "stride": "4", "display": "cut",
                              "source": "draw", "drawing": drawing, "at": "3,20"})
    assert page.url.endswith("#top") and "%2C" not in page.url
    page.get_by_label("signed colours").check()
    page.wait_for_function("!location.search.includes('display')")
    page.get_by_label("grey, cut to 0 … 1").check()
    page.wait_for_url("**display=cut*")


def test_the_playground_without_its_photograph(figure):
    page = figure("kernel-playground", "stride=1")
    page.route("**/photograph.bin", lambda route: route.abort())
    page.reload()
    page.locator("[data-ready]").wait_for()
    assert "did not load" in page.locator(".figure-error:not(:empty)").inner_text()
    page.get_by_label("your drawing").check()
    square = np.pad(np.ones((8, 8)), 8)
    expect_output(page, square, np.reshape(START, (3, 3)))
    figure.problems.clear()  # the browser's own line about the file that is not there


def swipe(page, box, start, end):
    """Move a finger over the shares `start` to `end` of a box, as a touch screen tells the browser."""
    session = page.context.new_cdp_session(page)
    for k in range(11):
        x, y = [at + share * length for at, share, length in zip((box["x"], box["y"]), [a + k / 10 * (b - a) for a, b in zip(start, end)], (box["width"], box["height"]))]
        session.send("Input.dispatchTouchEvent", {"type": "touchMove" if k else "touchStart", "touchPoints": [dict(x=x, y=y)]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_a_finger_draws_on_the_drawing_and_scrolls_on_the_photograph(figure):
    page = figure("kernel-playground", "kernel=0,0,0,0,1,0,0,0,0&source=draw", PHONE, has_touch=True, is_mobile=True)
    page.add_style_tag(content="body { padding: 50vh 0 100vh }")
    pad = page.locator(".figure-pad").first
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
    page.wait_for_function("before => scrollY > before + 50", arg=before)
