"""The size lab in a browser: its windows, its zeros and its sentences are chapter 04's."""

import itertools
import re

import pytest
from browser import DESKTOP, PHONE
from figure_pages import expect_query
from oracles import chapters_answer

pytest_plugins = ["figure_pages"]

SIZES = pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])


def shown(page):
    """Return what the size lab shows: (outputs, before, after) and the windows' count."""
    text = page.locator("[data-part=summary]").inner_text()
    outputs, before, after = map(int, re.match(r"(\d+) outputs?\. Padding: (\d+) zeros? before \(left or top\), (\d+) after \(right or bottom\)", text).groups())
    total = int(re.search(r"of (\d+)", page.locator("[data-part=window]").inner_text())[1])
    assert total == outputs
    return outputs, before, after


def expect_lab(page, **case):
    case = {**dict(P=0), **case}
    right = chapters_answer(**case)
    assert shown(page) == (right["outputs"], right["before"], right["after"]), case
    fills = page.evaluate("() => [...document.querySelectorAll('[data-shape=cell]')].map(r => r.getAttribute('fill'))")
    W, before, after = case["W"], right["before"], right["after"]
    colours = ["#FFF3D6"] * before + ["#999999" if cell in right["unseen"] else "#FFFFFF" for cell in range(W)] + ["#FFF3D6"] * after
    assert fills == colours
    text = page.locator("[data-part=summary]").inner_text()
    if right["unseen"]:
        assert re.search(rf"{len(right['unseen'])} pixels? (is|are) never seen", text)
    else:
        assert "Every pixel is seen" in text
    assert page.locator(".formula span").all_inner_texts() == formula(**case, **right)


def formula(W, F, S, D, P, mode, outputs, before, after, **others):
    """Return the lines of chapter 04's formula, filled in."""
    if mode == "SAME":
        missing = f"{(outputs - 1) * S + D * (F - 1) + 1 - W}".replace("-", "−")
        return ["outputs = ⌈W / S⌉", f"= ⌈{W} / {S}⌉ = {outputs}", "zeros = max((outputs − 1) · S + D · (F − 1) + 1 − W, 0)",
                f"= max({outputs - 1} · {S} + {D} · {F - 1} + 1 − {W}, 0) = max({missing}, 0) = {before + after}"]
    return ["outputs = ⌊(W − D · (F − 1) − 1 + 2P) / S⌋ + 1" + (", P = 0" if mode == "VALID" else ""),
            f"= ⌊({W} − {D} · {F - 1} − 1 + 2 · {P}) / {S}⌋ + 1", f"= ⌊{W - D * (F - 1) - 1 + 2 * P} / {S}⌋ + 1 = {outputs}"]


@SIZES
def test_size_lab_by_mouse(figure, size):
    page = figure("size-lab", size=size)
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


def test_size_lab_by_keyboard(figure):
    page = figure("size-lab", "W=13&F=6&S=5&D=1&mode=SAME")
    stage = page.get_by_role("slider", name="Window", exact=True)
    seen = []
    for key in [None, "ArrowRight", "ArrowRight", "ArrowRight", "ArrowLeft", "Home", "End"]:
        if key:
            stage.press(key)
        seen.append(stage.get_attribute("aria-valuenow"))
    assert seen == ["1", "2", "3", "3", "2", "1", "3"]
    assert stage.get_attribute("aria-valuetext") == "Window 3 of 3 sees x9, x10, x11, x12, 0, 0"
    expect_query(page, **dict(W="13", F="6", S="5", D="1", mode="SAME", step="3"))
    page.get_by_label("W, input, slider").press("ArrowRight")
    expect_lab(page, W=14, F=6, S=5, D=1, mode="SAME")
    page.get_by_label("F, window", exact=True).press("ArrowDown")
    expect_lab(page, W=14, F=5, S=5, D=1, mode="SAME")
    page.get_by_role("radio", name="SAME").press("ArrowDown")
    expect_lab(page, W=14, F=5, S=5, D=1, mode="VALID")
    assert stage.get_attribute("aria-valuenow") == "1"


def test_the_window_stays_in_view(figure):
    page = figure("size-lab", "W=40&F=3&S=1&D=1&mode=VALID", PHONE)
    stage = page.get_by_role("slider", name="Window", exact=True)
    for key in "End", "Home", "End":
        stage.press(key)
        box, view = page.locator("[data-current]").first.bounding_box(), stage.bounding_box()
        assert view["x"] <= box["x"] and box["x"] + 3 * box["width"] <= view["x"] + view["width"] + 3
    page.set_viewport_size(DESKTOP)
    assert page.locator("[data-current]").count() == 3


@pytest.mark.parametrize("case", [dict(W=10, F=3, S=2, D=2, P=0, mode="SAME"), dict(W=12, F=3, S=1, D=3, P=2, mode="P"), dict(W=9, F=2, S=4, D=1, P=0, mode="VALID")])
def test_the_windows_are_drawn_where_they_look(figure, case):
    page = figure("size-lab", "&".join(f"{name}={value}" for name, value in case.items()) + "&step=2")
    before = chapters_answer(**case)["before"]
    names, windows, frames = page.evaluate("""() => {
        const places = (rects) => [...rects].map((rect) => [Math.round(rect.getBBox().y), Math.round(rect.getBBox().x + rect.getBBox().width / 2)]);
        const row = [...document.querySelectorAll('[data-shape=cell]')];
        return [row.map((rect) => [Math.round(rect.getBBox().x + rect.getBBox().width / 2), rect.nextElementSibling.textContent]),
            places(document.querySelectorAll('[data-shape=weight]')), places(document.querySelectorAll('[data-shape=frame]'))];
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
def test_invalid_settings_are_explained(figure, field, value, reason):
    page = figure("size-lab", "W=10&F=4&S=3&D=1&mode=VALID")
    page.get_by_label(field, exact=True).fill(value)
    text = page.get_by_role("alert").inner_text()
    assert text.startswith(f"No output: {reason}. ") or text.strip() == f"No output: {reason}."
    assert not page.locator(".stage").is_visible() and not page.locator("[data-part=summary]").is_visible()
    if "fit" not in reason:
        assert page.get_by_label(field, exact=True).get_attribute("aria-invalid") == "true"
    page.get_by_label(field, exact=True).fill("4" if field[0] in "WF" else "1")
    assert page.get_by_role("alert").inner_text() == "" and page.locator(".stage").is_visible()
    assert page.locator("[aria-invalid]").count() == 0


def test_size_lab_state_in_the_address(figure):
    page = figure("size-lab", "W=9&F=3&S=2&D=2&P=1&mode=P&step=3")
    expect_lab(page, W=9, F=3, S=2, D=2, P=1, mode="P")
    assert page.get_by_text("Window 3 of 4 sees x3, x5, x7").is_visible()
    assert page.get_by_label("P, zeros", exact=True).input_value() == "1"
    page.get_by_role("radio", name="SAME").check()
    expect_query(page, **dict(W="9", F="3", S="2", D="2", mode="SAME"))


@pytest.mark.parametrize("tag, query, role", [("kernel-playground", "stride=2", "application"), ("kernel-playground", "source=draw", "application"), ("size-lab", "W=30&S=1", "slider")])
def test_keys_for_the_figure_do_not_scroll_the_page(figure, tag, query, role):
    page = figure(tag, query)
    page.add_style_tag(content="body { padding: 100vh 0 }")
    page.locator(f"{tag} [role={role}]").first.focus()
    page.evaluate("scrollTo(0, 500)")
    for key in "ArrowDown", "ArrowDown", "ArrowUp", *(["End", "Home"] if role == "slider" else []), *(["Space"] if "draw" in query else []):
        page.keyboard.press(key)
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
        assert page.evaluate("scrollY") == 500, key
    page.keyboard.press("PageDown")  # every other key is the page's
    page.wait_for_function("scrollY > 500")


def test_the_focus_stays_where_it_was(figure):
    page = figure("size-lab", "W=10&F=4&S=3&mode=SAME")
    for name in ["Forward"] * 4 + ["Back"] * 4:  # to the end and beyond
        page.get_by_role("button", name=name).press("Enter")
        assert page.evaluate("document.activeElement.textContent") == name
    for key in "ArrowRight", "End", "Home":
        page.get_by_role("slider", name="Window", exact=True).press(key)
        assert page.evaluate("document.activeElement.className") == "stage"
    page = figure("kernel-playground", "at=0,0")
    for name in "up", "left", "down", "right":
        page.get_by_role("button", name=f"Move the window {name}").press("Enter")
        assert page.evaluate("document.activeElement.getAttribute('aria-label')") == f"Move the window {name}"
    page.locator(".figure-pad").first.press("ArrowRight")
    assert page.evaluate("document.activeElement.className") == "figure-pad"
    page.get_by_label("row 1, column 1").fill("")
    page.get_by_label("row 1, column 1").press_sequentially("-1.25")
    assert page.get_by_label("row 1, column 1").input_value() == "-1.25"
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "row 1, column 1"
    page.get_by_role("button", name="blur").press("Enter")
    assert page.evaluate("document.activeElement.textContent") == "blur"


@pytest.mark.parametrize("width", [360, 390])
def test_the_first_row_fits_a_phone(figure, width):
    page = figure("size-lab", "W=10&F=4&S=3&mode=SAME", dict(width=width, height=740))
    assert page.locator(".stage").evaluate("stage => stage.scrollWidth <= stage.clientWidth")  # both zeros after the row are seen
