"""Look for a pattern, in a browser: what it says is what TensorFlow finds, by pointer and by keys."""

import re

import numpy as np
import pytest
from browser import DESKTOP, PHONE
from figure_pages import expect_query
from oracles import conv
from playwright.sync_api import expect

from tools.make.pictures import photograph

pytest_plugins = ["figure_pages"]

SIZES = pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
PHOTO = photograph() / 255


def numbers(text):
    return [float(number.replace("−", "-")) for number in re.findall(r"[-−]?\d*\.?\d+", text.replace(",", ""))]


def weights(page):
    """Return the weights that the pattern's cells show, to two digits."""
    texts = page.locator(".patch button").all_inner_texts()
    return np.reshape([numbers(text)[0] for text in texts], [round(len(texts) ** 0.5)] * 2)


def expect_answers(page, pattern, cells=None):
    """Check the shown weights (or cells), the patches that answer most and least, and their answers."""
    size = len(pattern)
    np.testing.assert_allclose(weights(page), pattern if cells is None else cells, atol=0.0051)
    y = conv(PHOTO, pattern, padding="VALID")
    for n, place in [(1, y.argmax()), (2, y.argmin())]:
        row, column = np.unravel_index(place, y.shape)
        part = page.locator(".patch").nth(n)
        value, *edges = numbers(part.locator("figcaption").inner_text())
        assert edges == [row, row + size - 1, column, column + size - 1]
        assert value == pytest.approx(y[row, column], abs=0.0051)
        shown = [numbers(text)[0] for text in part.locator("span").all_inner_texts()]
        patch = PHOTO[row:row + size, column:column + size]
        np.testing.assert_allclose(shown, patch.ravel(), atol=0.0051)
        for picture, shift in [(0, 0), (1, (size - 1) / 2)]:  # the map is smaller than the photograph
            frame = page.locator(".figure-pad svg").nth(picture).locator("g").nth(n).locator("rect").first
            at = [float(frame.get_attribute(name)) for name in ("y", "x", "width")]
            assert at == [row - 1 - shift, column - 1 - shift, size + 2]
    return y


@SIZES
def test_the_question_and_then_the_mean(figure, size):
    page = figure("find-pattern", size=size)
    assert page.locator(".patch").first.is_hidden() and page.locator(".figure-secret canvas").is_hidden()
    page.get_by_role("button", name="where it was taken").click()
    assert page.locator(".figure-verdict").inner_text().startswith("Not quite: at something brighter.")
    patch = PHOTO[79:84, 46:51]
    y = expect_answers(page, patch)
    said = page.locator("[data-part=most]")
    above = (y > y[79, 46] + 1e-9).sum()
    assert f"{above:,} places answer more. The patch at + is brighter" in said.inner_text()
    page.get_by_label("is ignored").check()
    expect_answers(page, patch - patch.mean())
    expect(said).to_contain_text("It answers most where it was taken")
    expect_query(page, brightness="ignored")


@SIZES
def test_another_patch_by_pointer(figure, size):
    page = figure("find-pattern", "bias=0&brightness=ignored", size, has_touch=size is PHONE)
    pad = page.locator(".figure-pad").first
    for (row, column), (top, left) in [((100, 60), (97, 57)), ((0, 159), (0, 153))]:
        page.get_by_label("7 × 7").check()
        pad.scroll_into_view_if_needed()
        box = pad.bounding_box()
        spot = [box["x"] + (column + 0.5) / 160 * box["width"], box["y"] + (row + 0.5) / 160 * box["height"]]
        page.touchscreen.tap(*spot) if size is PHONE else page.mouse.click(*spot)
        patch = PHOTO[top:top + 7, left:left + 7]
        expect_answers(page, patch - patch.mean())
        assert f"rows {top} to {top + 6}, columns {left} to {left + 6}" in page.locator("figcaption").first.inner_text()
    assert "has more contrast" in page.locator("[data-part=most]").inner_text()
    page.get_by_label("3 × 3").check()  # in the middle of the one before
    patch = PHOTO[2:5, 155:158]
    expect_answers(page, patch - patch.mean())


def test_a_finger_scrolls_over_the_photograph_and_keeps_the_drawing(figure):
    query = "drawn=1,0,-1,1,0,-1,1,0,-1"
    page = figure("find-pattern", query, dict(PHONE, height=500), has_touch=True)
    session = page.context.new_cdp_session(page)
    pad = page.locator(".figure-pad").first
    pad.scroll_into_view_if_needed()
    box, scrolled = pad.bounding_box(), page.evaluate("scrollY")
    x, y = box["x"] + 100, box["y"] + 200
    for kind, points in [("touchStart", [y]), *(("touchMove", [y - 20 * k]) for k in range(1, 9)), ("touchEnd", [])]:
        session.send("Input.dispatchTouchEvent",
                     {"type": kind, "touchPoints": [dict(x=x, y=at) for at in points]})
    page.wait_for_function("before => scrollY > before + 50", arg=scrolled)
    np.testing.assert_array_equal(weights(page), [[1, 0, -1]] * 3)
    assert page.url.endswith(query)


def test_a_mouse_drags_the_frame(figure):
    page = figure("find-pattern", "bias=0")
    page.locator(".figure-pad").first.scroll_into_view_if_needed()
    box = page.locator(".figure-pad").first.bounding_box()
    spots = [[box["x"] + (at + 0.5) / 160 * box["width"], box["y"] + (at + 0.5) / 160 * box["height"]]
             for at in (80, 90)]
    page.mouse.move(*spots[0])
    page.mouse.down()
    expect_answers(page, PHOTO[78:83, 78:83])
    page.mouse.move(*spots[1])
    expect_answers(page, PHOTO[88:93, 88:93])
    page.mouse.up()
    page.mouse.move(*spots[0])
    expect_answers(page, PHOTO[88:93, 88:93])


@pytest.mark.parametrize("size", [3, 5, 7])
def test_on_a_phone_cause_and_effect_are_near(figure, size):
    page = figure("find-pattern", f"size={size}&brightness=ignored", PHONE)
    parts = [page.locator(".figure-pad").first, page.locator(".patch").first, page.locator(".figure-pad").nth(1),
             page.locator(".options"), page.locator(".bend"), page.locator(".patch").nth(1)]
    boxes = [part.bounding_box() for part in parts]
    tops = [box["y"] for box in boxes]
    assert tops == sorted(tops)
    assert boxes[2]["y"] + boxes[2]["height"] / 2 - tops[0] < PHONE["height"]  # of the map, half or more
    assert page.locator(".patch").nth(2).bounding_box()["y"] == tops[5]


@SIZES
def test_a_drawing_keeps_its_numbers_where_brightness_is_ignored(figure, size):
    drawing = np.array([[1, 1, 0], [0, -1, -1], [-1, 0, -1]])
    page = figure("find-pattern", f"brightness=ignored&drawn={','.join(map(str, drawing.ravel()))}", size)
    caption = page.locator(".patch figcaption").first
    expect_answers(page, drawing - drawing.mean(), drawing)
    assert numbers(caption.inner_text()) == [-0.22]
    page.locator(".patch button").nth(5).click()
    drawing[1, 2] = 0
    expect_answers(page, drawing - drawing.mean(), drawing)
    assert numbers(caption.inner_text()) == [-0.11]


@pytest.mark.parametrize("query", ["size=7&brightness=ignored&at=60,60", "brightness=ignored", "size=3",
                                   "drawn=0,1,-1,0,1,-1,0,1,-1"])
@SIZES
def test_labels_stay_in_their_cells(figure, query, size):
    page = figure("find-pattern", query, size)
    wide = page.evaluate("""() => [...document.querySelectorAll(".cells > *")].filter((cell) => {
        const range = document.createRange();
        range.selectNodeContents(cell);
        return range.getBoundingClientRect().width > 0.85 * cell.getBoundingClientRect().width;
    }).map((cell) => cell.textContent)""")
    assert wide == []


def test_everything_by_keyboard(figure):
    page = figure("find-pattern")
    page.locator("[data-skip]").press("Enter")
    pad = page.get_by_role("application")
    for keys in ["ArrowRight", "ArrowDown", "ArrowDown", "Shift+ArrowLeft", "Shift+ArrowUp"]:
        pad.press(keys)
    patch = PHOTO[73:78, 39:44]
    expect_answers(page, patch)
    cell = page.get_by_role("button", name=re.compile("^row 3, column 3: "))
    drawing = np.where(np.abs(patch - patch.mean()) < patch.std() / 2, 0, np.sign(patch - patch.mean()))
    cell.focus()
    for key, place in [("Enter", (2, 2)), ("ArrowLeft", None), ("ArrowUp", None), ("Space", (1, 1)), ("Space", (1, 1))]:
        page.keyboard.press(key)
        if place:
            drawing[place] = {0: 1, 1: -1, -1: 0}[drawing[place]]
            expect_answers(page, drawing)
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("row 2, column 2: ")
    expect_query(page, at="73,39", drawn=",".join(f"{weight:g}" for weight in drawing.ravel()))
    again = figure("find-pattern", page.url.split("?")[1])
    expect_answers(again, drawing)
    page.get_by_role("radio", name="a patch").check()
    expect_answers(page, patch)


@SIZES
def test_bias_and_bend(figure, size):
    page = figure("find-pattern", "brightness=ignored", size)
    patch = PHOTO[79:84, 46:51]
    y = conv(PHOTO, patch - patch.mean(), padding="VALID")
    field, left = page.get_by_role("spinbutton"), page.locator("[data-part=left]")
    for percent in (-40, 0, 25):
        field.fill(str(percent))
        bias = percent / 100 * np.abs(y).max()
        count = (y + bias > 0).sum()
        for bend, words in [("on", "are left"), ("off", "are above 0")]:
            page.get_by_label(bend, exact=True).check()
            assert f"{count:,} of {y.size:,} places {words}, {100 * count / y.size:.1f}" in left.inner_text()
            values = np.maximum(y + bias, 0) if bend == "on" else y + bias
            low, high = numbers(page.locator(".figure-secret figcaption").inner_text())[-2:]
            np.testing.assert_allclose([low, high], [values.min(), values.max()], atol=0.0051)
    assert page.get_by_role("slider").input_value() == "25"
    page.get_by_role("slider").press("ArrowLeft")
    assert field.input_value() == "24"
    for text in ("", "-", "999"):
        field.fill("") if text == "-" else field.fill(text)
        expect_query(page, brightness="ignored", bias=24)
    page.get_by_role("button", name="Start again").click()
    expect_query(page)
    assert field.input_value() == "0"


@SIZES
def test_with_bias_or_bend_it_says_which_numbers_are_from_before(figure, size):
    page = figure("find-pattern", "brightness=ignored", size)
    field, bend = page.get_by_role("spinbutton"), page.get_by_label("on", exact=True)
    most, least = page.locator(".patch").nth(1), page.locator(".patch").nth(2)
    said, caption = page.locator("[data-part=most]"), page.locator(".figure-secret figcaption")
    signs = page.locator(".figure-pad svg g:not([hidden]) text")
    for part in (most, least, said, caption):
        expect(part).not_to_contain_text(re.compile("before|after"))
    expect(signs).to_have_text(["+", "−"] * 2)
    field.fill("-30")
    expect(most).to_contain_text("before bias and bend")
    expect(least).to_contain_text("before the bias")
    expect(said).to_contain_text("Before bias and bend")
    expect(caption).to_contain_text("after bias and bend")
    expect(signs).to_have_text(["+", "−"] * 2)
    bend.check()  # nothing below 0 is left to answer least
    expect(least).to_be_hidden()
    expect(signs).to_have_text(["+"] * 2)
    field.fill("0")
    expect(most).to_contain_text("before bias and bend")
    page.get_by_role("radio", name="a drawing").check()
    expect(said).to_have_text("It answers most at +.")
    page.get_by_label("off", exact=True).check()
    expect(said).to_have_text("It answers most at + and least at −.")
    expect(least).to_be_visible()


def test_a_pattern_of_nothing_is_said(figure):
    page = figure("find-pattern", "drawn=0,0,0,0,0,0,0,0,0")
    assert "there is no pattern" in page.locator("[data-part=most]").inner_text()
    page.get_by_role("button", name="upright edge").click()
    expect_answers(page, np.array([[-1, 0, 1]] * 3))
    page.get_by_label("5 × 5").check()
    expect_answers(page, np.array([[-1, -1, 0, 1, 1]] * 5))


def test_the_map_is_painted(figure):
    import matplotlib

    page = figure("find-pattern", "brightness=ignored")
    patch = PHOTO[79:84, 46:51]
    y = conv(PHOTO, patch - patch.mean(), padding="VALID")
    shown = page.evaluate("""() => { const c = document.querySelector(".figure-secret canvas");
        return [...c.getContext("2d").getImageData(0, 0, c.width, c.height).data]; }""")
    limit = np.abs(y).max()
    expected = matplotlib.colormaps["PuOr"]((y + limit) / (2 * limit))[:, :, :3] * 255
    assert np.abs(np.reshape(shown, (156, 156, 4))[:, :, :3] - expected).max() < 3
