"""Explain my digit: its slopes are GradientTape's, its shares add up, and what it erases and adds does what it says."""

import re

import numpy as np
import pytest
import tensorflow as tf
from axe_playwright_python.sync_playwright import Axe
from browser import DESKTOP, PHONE
from figure_models import FIGURES, evaluate
from figure_pages import expect_query
from playwright.sync_api import expect

from tools.make.data import load_mnist
from tools.make.digit_network import pen_digits, read_network

pytest_plugins = ["figure_pages"]

MODEL = "explain-digit/model.js"
FILE = list((FIGURES / "draw-digit" / "network.safetensors").read_bytes())
SETUP = """
const { readNetwork } = modules[Object.keys(modules).find((path) => path.endsWith("draw-digit/model.js"))];
const network = readNetwork(Uint8Array.from(file).buffer);
const all = images.map((each) => Float32Array.from(each));
const sum = (values) => values.reduce((a, b) => a + b, 0);
"""


def in_javascript(body, images, **values):
    """Return what the body of a function returns that sees `model`, SETUP and images in 0..1."""
    return evaluate(MODEL, f"(() => {{ {SETUP} {body} }})()", file=FILE, images=images.reshape(-1, 784).tolist(), **values)


@pytest.fixture(scope="module")
def network():
    return read_network()[0]


@pytest.fixture(scope="module")
def images():
    """Test digits of MNIST, digits of pen strokes, and nothing."""
    mnist = load_mnist()[1][0][:60] / np.float32(255)
    return np.concatenate([mnist, pen_digits(30, np.random.default_rng(7))[0], np.zeros((1, 28, 28), np.float32)])


def slopes(network, images):
    """Return the logits (N, 10) and their slopes at each pixel (N, 10, 784), by TensorFlow."""
    x = tf.constant(images[..., None])
    with tf.GradientTape() as tape:
        tape.watch(x)
        logits = network(x)
    return logits.numpy(), tape.batch_jacobian(logits, x).numpy().reshape(len(images), 10, 784)


# ---- In V8 -------------------------------------------------------------------------------------

def test_the_network_has_no_biases(network):
    assert [layer.use_bias for layer in network.layers if layer.weights] == [False] * 3


def test_the_slopes_are_gradient_tapes(network, images):
    logits, expected = slopes(network, images)
    got = in_javascript("return all.map((x) => model.explain(network, x));", images)
    assert np.abs(expected).max() > 1
    for each, z, slope, x in zip(got, logits, expected, images, strict=True):
        np.testing.assert_allclose(each["logits"], z, atol=1e-4)
        np.testing.assert_allclose(each["slopes"], slope, atol=1e-5)
        np.testing.assert_allclose(each["shares"], slope * x.ravel(), atol=1e-5)


def test_shares_add_up_to_the_logit_and_to_the_gap_of_two(images):
    got = in_javascript("""return all.map((x) => {
        const { logits, shares } = model.explain(network, x);
        return [logits, shares.map(sum), sum(model.differenceOf(shares, [8, 3]))];
    });""", images)
    for logits, sums, gap in got:
        np.testing.assert_allclose(sums, logits, atol=1e-4)
        assert gap == pytest.approx(logits[8] - logits[3], abs=1e-4)
    assert np.ptp([logits for logits, *_ in got]) > 20


def test_with_random_weights_they_add_up_as_well(images):
    got = in_javascript("""
        const draw = (length) => Float32Array.from({ length }, () => Math.random() - 0.5);
        for (const kernel of [...network.layers.map((layer) => layer.kernel), network.dense]) {
            if (kernel) kernel.values = draw(kernel.values.length);
        }
        return all.map((x) => model.explain(network, x)).map(({ logits, shares }) => [logits, shares.map(sum)]);
    """, images)
    logits, sums = (np.array(each) for each in zip(*got, strict=True))
    np.testing.assert_allclose(sums, logits, atol=1e-5 * np.abs(logits).max())


@pytest.mark.parametrize("k", [0, 7, 25, 60])
def test_it_erases_the_largest_shares_and_as_many_of_the_ink(network, images, k):
    images = images[:40]
    got = in_javascript("""return all.map((x) => {
        const { shares } = model.explain(network, x);
        const { answer } = model.read(network, x);
        return { share: shares[answer], answer, ...model.erase(network, x, shares[answer], k, answer) };
    });""", images, k=k)
    goes, still = {"chosen": 0, "random": 0}, sum(each["still"] for each in got)
    for x, each in zip(images.reshape(-1, 784), got, strict=True):
        share, gone = np.array(each["share"]), {}
        for name in goes:
            left = np.float32(each[name]["x"])
            gone[name] = np.flatnonzero(left != x)
            assert len(gone[name]) == each["count"] <= k and not left[gone[name]].any()
            assert each[name]["answer"] == network(left.reshape(1, 28, 28, 1)).numpy().argmax()
            goes[name] += each[name]["answer"] != each["answer"]
        kept = np.setdiff1d(np.arange(784), gone["chosen"])
        assert each["count"] == min(k, np.sum(share > 0))
        if each["count"]:
            assert share[gone["chosen"]].min() >= share[kept].max()
        assert 0 <= each["still"] <= 10 and (k > 0 or each["still"] == 10)
    print(k, goes, still)
    if k == 25:  # of 40: 30, of 400: 346
        assert goes["chosen"] >= 20 and still > 300


@pytest.mark.parametrize("size", [0, 0.1, 0.2])
def test_the_attack_steps_against_the_slope_and_chance_does_not(network, images, size):
    images = images[:40]
    got = in_javascript("""return all.map((x) => {
        const { slopes } = model.explain(network, x);
        const { answer } = model.read(network, x);
        return { answer, ...model.attack(network, x, slopes[answer], size, answer) };
    });""", images, size=size)
    logits, slope = slopes(network, images)
    goes, still = {"chosen": 0, "random": 0}, sum(each["still"] for each in got)
    for n, (x, each) in enumerate(zip(images.reshape(-1, 784), got, strict=True)):
        expected = np.clip(x - size * np.sign(slope[n, each["answer"]]), 0, 1)
        sure = np.abs(slope[n, each["answer"]]) > 1e-4  # a sign of almost nothing may differ
        np.testing.assert_allclose(np.float32(each["chosen"]["x"])[sure], expected[sure], atol=1e-6)
        for name in goes:
            moved = np.float32(each[name]["x"])
            assert moved.min() >= 0 and moved.max() <= 1 and np.abs(moved - x).max() <= size + 1e-6
            assert each[name]["answer"] == network(moved.reshape(1, 28, 28, 1)).numpy().argmax()
            goes[name] += each[name]["answer"] != each["answer"]
    print(size, goes, still)
    if size == 0.2:  # of 40: 30, of 400: 380
        assert goes["chosen"] >= 20 and still > 340
    assert size > 0 or (goes["chosen"], still) == (0, 400)


# ---- In the browser ----------------------------------------------------------------------------

def part(page, name):
    return page.locator(f"explain-digit [data-part={name}]")


def captions(page, name):
    return part(page, name).locator("figcaption").all_inner_texts()


@pytest.mark.parametrize("guess", ["nothing", "about half"])
def test_it_asks_before_it_explains(figure, guess):
    page = figure("explain-digit")
    for hidden in (part(page, "sum"), part(page, "erase"), page.locator(".digits")):
        expect(hidden).to_be_hidden()
    page.get_by_role("button", name=guess).click()
    expect(page.locator(".figure-verdict")).to_contain_text("Right." if guess == "nothing" else "Not quite: nothing.")
    expect(part(page, "sum")).to_be_visible()
    page.get_by_role("button", name="4: a test digit").click()
    expect(page.locator(".figure-gate")).to_have_count(0)
    expect(page.locator(".status")).to_contain_text("says 4")


def test_its_numbers_are_kerass(figure, network):
    samples = read_network()[1] / np.float32(255)
    logits, slope = slopes(network, samples)
    page = figure("explain-digit", "digit=8")
    for digit in range(10):
        page.get_by_role("button", name=f"{digit}: a test digit").click()
        shown = [float(text.replace("−", "-")) for text in page.locator(".digits span").all_inner_texts()]
        np.testing.assert_allclose(shown, logits[digit], atol=0.051)
        total, logit = map(float, re.findall(r"[\d.]+\d", part(page, "sum").inner_text())[1:])
        assert total == logit == pytest.approx(logits[digit, digit], abs=0.006)
        said = re.search(r"Row 14, column 14: brightness (\S+) × slope (\S+) = share (\S+)", part(page, "pixel").inner_text())
        x, g = samples[digit, 14, 14], slope[digit, digit].reshape(28, 28)[14, 14]
        np.testing.assert_allclose([float(text.replace("−", "-")) for text in said.groups()], [x, g, x * g], atol=0.006)


def test_why_an_8_and_no_3_and_what_takes_the_8_away(figure, network):
    page = figure("explain-digit", "digit=8")
    z = slopes(network, read_network()[1][8:9] / np.float32(255))[0][0]
    page.get_by_role("radio", name="3").check()
    said = part(page, "sum").inner_text()
    assert said.count(f"{z[8] - z[3]:.2f}".rstrip("0")) == 2 and "the logit of 3" in said
    assert captions(page, "erase") == ["Move the slider.", ""]
    slider = part(page, "erase").get_by_role("slider")
    slider.focus()
    for _ in range(20):
        page.keyboard.press("ArrowRight")
    first, second = captions(page, "erase")
    assert first.startswith("Without the 20 largest shares of “why 8 and not 3”. The network says 3,")
    assert re.search(r"random\. The network says 8, .* Of 10 such choices, \d+ leave it at 8\.", second)
    part(page, "attack").get_by_role("spinbutton").fill("15")
    first, second = captions(page, "attack")
    assert "at most 0.15 brighter or darker, against the slope of “why 8 and not 3”. The network says 3," in first and "says 8," in second
    expect_query(page, digit=8, why="8,3", erase=20, attack=15)
    page.get_by_role("button", name="Why 3?").click()
    assert "Why 3" in page.locator("explain-digit").inner_text() and "The logit of 3 is" in part(page, "sum").inner_text()
    page.get_by_role("button", name="Clear").click()
    expect(page.locator(".status")).to_have_text("Draw a digit.")
    expect(part(page, "sum")).to_be_hidden()


def test_a_gap_may_be_negative_and_a_field_keeps_to_its_range(figure):
    page = figure("explain-digit", "digit=8&why=3,8&erase=5&attack=5")
    assert re.search(r"the difference is −\d", part(page, "sum").inner_text())
    field = part(page, "erase").get_by_role("spinbutton")
    for typed, kept in [("61", 60), ("-3", 0), ("3.5", 4), ("", 4)]:
        field.fill(typed)
        field.press("Tab")
        expect(field).to_have_value(str(kept))
        expect_query(page, digit=8, why="3,8", attack=5, **(dict(erase=kept) if kept else {}))
    page.get_by_role("radio", name="any other").check()
    assert captions(page, "erase")[0].startswith("Without the 4 largest shares of “why 3”.")


def drawn(page, *points):
    """Draw a stroke with the mouse, places as shares of the field's sides."""
    page.locator(".pad").scroll_into_view_if_needed()
    box = page.locator(".pad").bounding_box()
    for n, (x, y) in enumerate(points):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=3)
        if n == 0:
            page.mouse.down()
    page.mouse.up()


def test_a_drawn_digit_is_explained_and_can_be_shared(figure):
    page = figure("explain-digit", "digit=8&why=8,3")
    page.get_by_role("button", name="Clear").click()
    drawn(page, (0.25, 0.2), (0.75, 0.2), (0.45, 0.85))
    assert "says 7" in page.locator(".status").inner_text() and "The logit of 7" in part(page, "sum").inner_text()
    pad = page.locator("explain-digit [role=application]").nth(2)  # after the field and the input: the map
    before = part(page, "pixel").inner_text()
    pad.focus()
    page.keyboard.press("ArrowUp")
    assert part(page, "pixel").inner_text() != before and "Row 13, column 14" in part(page, "pixel").inner_text()
    pad.click(position={"x": 2, "y": 2})
    assert part(page, "pixel").inner_text().startswith("Row 0, column 0: brightness 0 × slope")
    assert part(page, "pixel").inner_text().endswith("share 0")
    page.wait_for_url("**ink=*")
    shared = figure("explain-digit", page.url.split("?")[1])
    assert "The logit of 7" in part(shared, "sum").inner_text()


# ---- Below the drawing field of the first page -------------------------------------------------

def test_below_the_drawing_field_it_loads_when_asked_for_and_follows_it(figure):
    page = figure("draw-digit[compact]")
    requests = []
    page.on("request", lambda request: requests.append(request.url.split("/")[-1]))
    button = page.get_by_role("button", name="Explain it")
    expect(button).to_be_hidden()
    page.get_by_role("button", name="8: a test digit").click()
    expect(button).to_be_hidden()  # it would give the answer away
    page.get_by_role("button", name="Skip").click()
    assert requests == []
    page.wait_for_url("**digit=8")
    button.click()
    expect(page.locator("explain-digit .figure-gate")).to_contain_text("How much of it goes to the black pixels")
    expect(part(page, "sum")).to_be_hidden()
    assert "view.js" in requests and "network.safetensors" not in requests
    expect(page.locator("explain-digit")).to_be_focused()
    expect(button).to_have_count(0)
    page.get_by_role("button", name="nothing").click()
    expect(part(page, "sum")).to_contain_text("The logit of 8")
    page.get_by_role("radio", name="3").check()
    expect_query(page, digit=8, why="8,3")
    page.get_by_role("button", name="4: a test digit").click()
    expect(part(page, "sum")).to_contain_text("The logit of 4")
    expect_query(page, digit=4)
    page.get_by_role("button", name="Clear").click()
    expect(part(page, "sum")).to_be_hidden()
    drawn(page, (0.25, 0.2), (0.75, 0.2), (0.45, 0.85))
    expect(part(page, "sum")).to_contain_text("The logit of 7")
    expect(page.locator("explain-digit .pad, explain-digit .figure-gate")).to_have_count(0)


def test_a_shared_explanation_opens_there_too_and_fits(figure):
    page = figure("draw-digit[compact]", "digit=8&why=8,3&erase=20", PHONE)
    expect(part(page, "sum")).to_contain_text("the logit of 3")
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"] and page.evaluate("scrollY") == 0
    for size, theme in [(DESKTOP, "light"), (PHONE, "dark")]:
        page.set_viewport_size(size)
        page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
        assert Axe().run(page).response["violations"] == []
