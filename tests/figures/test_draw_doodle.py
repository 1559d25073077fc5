"""Draw a doodle: its strokes, pixels and integers in V8 against the chapters, and in a browser by hand.

The real drawings are no part of the book: tests that need them are skipped, in words, without them.
"""

import functools
import json
import struct

import numpy as np
import pytest
from browser import DESKTOP, PHONE
from conftest import ROOT, definitions
from figure_models import FIGURES, SENTENCES, evaluate
from figure_pages import expect_query
from oracles import resampled, simplified, without_detail
from playwright.sync_api import expect

from tools.make import doodle_network as tool
from tools.make.doodle_sample import load_strokes

pytest_plugins = ["figure_pages"]

SIZES = pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
MODEL = "draw-doodle/model.js"
FILE = FIGURES / "draw-doodle" / "network.safetensors"
BYTES = list(FILE.read_bytes())
SAMPLES = json.loads(tool.STROKES.read_text(encoding="utf-8"))
NETWORK = "const network = model.readNetwork(Uint8Array.from(file).buffer);"


@functools.cache
def drawings():
    try:
        return tool.load_drawings()
    except FileNotFoundError as error:
        pytest.skip(str(error))


def scribbles(count, seed=0):
    """Return random drawings, lists of strokes, arrays (M, 2) on the field: smooth, cornered, taps."""
    rng = np.random.default_rng(seed)
    made = []
    for n in range(count):
        strokes = []
        for _ in range(rng.integers(1, 7)):
            length = int(rng.choice([1, 2, 5, 30, 80]))
            step = rng.normal(0, 6, (length, 2))
            if n % 2:
                step = step.cumsum(axis=0) * 0.3
            strokes.append((rng.uniform(60, 220, 2) + step.cumsum(axis=0)).clip(0, 280))
        made.append(strokes)
    return made


def lists(drawn):
    return [[np.asarray(stroke).tolist() for stroke in strokes] for strokes in drawn]


def boxed(drawn):
    """Return drawings as simplified ones are: whole numbers, the box 0 to 255."""
    found = []
    for strokes in drawn:
        low, side = np.concatenate(strokes).min(axis=0), np.ptp(np.concatenate(strokes), axis=0).max()
        each = [np.round((stroke - low) * 255 / max(side, 1)).astype(int) for stroke in strokes]
        found.append([np.repeat(stroke, 2, axis=0) if len(stroke) == 1 else stroke for stroke in each])
    return found


# ---- Strokes and pixels ------------------------------------------------------------------------

def test_strokes_are_simplified_as_the_data_set_did():
    drawn = [strokes for strokes in scribbles(300) if len(np.concatenate(strokes)) > 1]
    got = evaluate(MODEL, "drawn.map((ink) => model.simplify(ink))", drawn=lists(drawn))
    points = 0
    for strokes, mine in zip(drawn, got, strict=True):
        assert mine == [stroke.tolist() for stroke in simplified(strokes)]
        points += sum(map(len, mine))
    assert points > 3000 and max(np.max(stroke) for mine in got for stroke in mine) == 255


def test_chapter_22_keeps_the_same_points():
    simplify = definitions("22")["simplify"]
    for strokes in scribbles(60, 8):
        for stroke in strokes:
            if len(stroke) > 1:
                assert np.array_equal(simplify(resampled(stroke)), without_detail(resampled(stroke)))


def test_a_tap_keeps_its_point_twice_and_a_dot_is_no_drawing():
    tap, line = [[50, 60]], [[10, 10], [100, 10]]
    got = evaluate(MODEL, "drawn.map((ink) => [model.simplify(ink), model.isDot(ink)])",
                   drawn=[[line, tap], [tap], [tap, [[52, 61]]], [line]])
    assert got[0] == [[[[0, 0], [255, 0]], [[113, 142], [113, 142]]], False]  # 113.3, 141.7
    assert got[1] == [[[[0, 0], [0, 0]]], True]
    assert [dot for _, dot in got] == [False, True, True, False]


def test_a_drawing_of_the_address_is_what_it_was():
    for text in tool.read_samples().values():
        state = evaluate(MODEL, "model.stateFrom({ doodle: text })", text=text)
        assert evaluate(MODEL, "model.addressOf(state).doodle", state=state) == text
        assert evaluate(MODEL, "model.isDot(state.ink)", state=state) is False


def test_pixels_are_the_chapters():
    rasterise = definitions("22")["rasterise"]
    drawn = [*boxed(scribbles(60, 1)), *([np.array(s) for s in strokes] for strokes in SAMPLES.values())]
    got = np.array(evaluate(MODEL, "drawn.map((strokes) => model.rasterise(strokes))", drawn=lists(drawn)))
    want = np.stack([rasterise(strokes) for strokes in drawn]).reshape(len(drawn), -1).astype(int)
    assert want.max() == 255 and np.abs(got - want).max() <= 1
    assert np.mean(got != want) < 1e-3


def test_pixels_of_real_drawings_are_the_official_bitmaps():
    if not tool.SAMPLE.exists():
        pytest.skip("the real drawings are not there")
    strokes, bitmaps = load_strokes()
    got = np.array(evaluate(MODEL, "drawn.map((strokes) => model.rasterise(strokes))", drawn=lists(strokes)))
    want = bitmaps.reshape(250, -1).astype(int)
    assert np.abs(got - want).mean() < 2.5
    assert min(np.corrcoef(a, b)[0, 1] for a, b in zip(got, want, strict=True)) > 0.98
    labels = np.repeat(np.arange(10), 25)
    answers = [np.argmax(logits(images), axis=1) for images in (got, want)]
    print("\nof 250 that it was trained on:", [float(np.mean(each == labels)) for each in answers])
    assert np.mean(answers[0] == answers[1]) > 0.95  # 0.976: the geometry is what it learned
    assert np.mean(answers[0] == labels) > 0.92


# ---- Integers ----------------------------------------------------------------------------------

def logits(images, file=BYTES):
    """Return the integers (N, 10) that the page computes for bytes (N, 784)."""
    found = []
    for start in range(0, len(images), 500):
        found += evaluate(MODEL, f"""(() => {{ {NETWORK}
            return images.map((bytes) => model.forward(network, bytes).logits); }})()""",
                          file=file, images=np.reshape(images[start:start + 500], (-1, 784)).tolist())
    return np.array(found)


def generated(count, seed=2):
    """Return bytes (count, 28, 28): scribbles, noise, empty and full."""
    rng = np.random.default_rng(seed)
    drawn = np.array(evaluate(MODEL, "drawn.map((ink) => model.rasterise(model.simplify(ink)))",
                              drawn=lists(scribbles(count, seed)))).reshape(-1, 28, 28)
    drawn[::5] = rng.integers(0, 256, drawn[::5].shape)
    drawn[1], drawn[2] = 0, 255
    return drawn.astype(np.uint8)


def as_integers(images):
    return (images[..., None].astype(int) - 128).astype(np.int8)


def test_all_integers_are_chapter_23s():
    run_integers = definitions("23")["run_integers"]
    net, _ = tool.read_network()
    images = generated(60)
    got = evaluate(MODEL, f"""(() => {{ {NETWORK}
        return images.map((bytes) => {{ const {{ logits, maps }} = model.forward(network, bytes);
            return [maps.pool1.values, maps.pool2.values, maps.pool3.values, logits]; }}); }})()""",
                   file=BYTES, images=images.reshape(-1, 784).tolist())
    for n in range(4):
        want = run_integers({**net, "layers": net["layers"][:n + 1]}, as_integers(images))
        assert np.array_equal([each[n] for each in got], want.reshape(len(images), -1)), n
    assert len(np.unique([each[3] for each in got])) > 50


def test_any_such_network_is_computed(tmp_path):
    """Another number of layers, windows of 5, zero points and words."""
    run_integers = definitions("23")["run_integers"]
    rng = np.random.default_rng(3)

    def layer(kind, shape, zero, size):
        K = shape[-1]
        return (kind, rng.integers(-127, 128, shape).astype(np.int8),
                rng.integers(-9999, 9999, K).astype(np.int32), rng.uniform(0.5, 1.5, K) * size, 0.1, zero)

    net = {"input": (np.float32(1 / 255), -128), "layers": [
        layer("Conv2D", (5, 5, 1, 3), -90, 2e-3), layer("Conv2D", (3, 3, 3, 4), -128, 2e-3),
        layer("Dense", (196, 7), 11, 1e-3)]}
    path = tmp_path / "other.safetensors"
    tool.write_network(path, net, {})
    images = generated(20, 4)
    got = logits(images, list(path.read_bytes()))
    assert np.array_equal(got, run_integers(net, as_integers(images))) and len(np.unique(got)) > 20


def test_all_integers_of_the_drawings_it_never_saw_are_chapter_23s():
    run_integers = definitions("23")["run_integers"]
    x, y = drawings()["test"]
    net, metadata = tool.read_network()
    want, got = run_integers(net, as_integers(x)), logits(x)
    assert np.sum(got == want) == want.size == 20_000
    accuracy = np.mean(got.argmax(axis=1) == y)
    print(f"\n{accuracy:.2%} of {len(y):,} drawings that it never saw")
    assert accuracy >= 0.85 and accuracy == metadata["accuracy"]
    confusion = np.zeros((10, 10), int)
    np.add.at(confusion, (y, got.argmax(axis=1)), 1)
    assert confusion.tolist() == metadata["confusion"]


def test_what_its_file_says():
    net, metadata = tool.read_network()
    assert FILE.stat().st_size <= 60_000 and metadata["names"] == tool.NAMES
    assert metadata["accuracy"] >= 0.85 and "CC BY 4.0" in metadata["licence"] and "Quick, Draw!" in metadata["data"]
    confusion = np.array(metadata["confusion"])
    assert (confusion.sum(axis=1) == 200).all() and np.trace(confusion) == round(2000 * metadata["accuracy"])
    assert metadata["samples"] == tool.read_samples()
    assert evaluate(MODEL, "model.WORDS") == tool.NAMES
    assert all(w.dtype == np.int8 and b.dtype == np.int32 for _, w, b, *_ in net["layers"])


def test_shares_and_record_are_numpys():
    _, metadata = tool.read_network()
    ints = np.random.default_rng(5).integers(-128, 128, (50, 10))
    got = evaluate(MODEL, f"(() => {{ {NETWORK} return ints.map((each) => model.judge(network, each)); }})()",
                   file=BYTES, ints=ints.tolist())
    output = metadata["output"]
    shares = tool.shares_of((ints - output["zero"]) * output["scale"], metadata["temperature"])
    for each, want in zip(got, shares, strict=True):
        np.testing.assert_allclose(each["shares"], want, rtol=1e-12)
        assert each["answer"] == want.argmax() == each["ranked"][0] and each["unsure"] == (want.max() < 0.5)
        assert (np.diff(want[each["ranked"]]) <= 0).all()
    confusion = np.array(metadata["confusion"])
    for n in range(10):
        got = evaluate(MODEL, f"(() => {{ {NETWORK} return model.recordOf(network, n); }})()", file=BYTES, n=n)
        wrong = confusion * (1 - np.eye(10, dtype=int))
        assert got == {"all": 2000, "said": confusion[:, n].sum(), "right": confusion[n, n], "own": 200,
                       "other": wrong[:, n].argmax(), "others": wrong[:, n].max(),
                       "taken": wrong[n].argmax(), "times": wrong[n].max()}


def test_the_books_doodles_are_recognised():
    drawn = list(SAMPLES.values())
    images = evaluate(MODEL, "drawn.map((strokes) => model.rasterise(strokes))", drawn=drawn)
    assert logits(images).argmax(axis=1).tolist() == list(range(10))
    stored = tool.read_samples()
    assert evaluate(MODEL, "texts.map((text) => model.decode(text))", texts=list(stored.values())) == drawn


def test_a_star_is_an_airplane_to_it():
    """As the figure says, whatever line of the five comes first."""
    corners = [(140 + 100 * np.sin(turn), 140 - 100 * np.cos(turn)) for turn in 2 * np.pi * np.arange(5) / 5]
    stars = [[[corners[(first + 2 * n) % 5] for n in range(6)]] for first in range(5)]
    got = evaluate(MODEL, f"""(() => {{ {NETWORK} return stars.map((ink) => model.judge(network,
        model.forward(network, model.rasterise(model.simplify(ink))).logits)); }})()""", file=BYTES, stars=stars)
    said = {(tool.NAMES[each["answer"]], round(100 * each["shares"][each["answer"]])) for each in got}
    assert said == {("airplane", 99)}
    assert "It has no other word: a star of five lines becomes an airplane, with 99\xa0%." in SENTENCES


def test_limits_are_where_they_are():
    assert evaluate(MODEL, "ends.map((x) => model.isDot([[[50, 50], [x, 50]]]))", ends=[53.9, 54.1]) == [True, False]
    assert evaluate(MODEL, "['D_D_', 'EAAA', 'AAEA', '____'].map(model.decode)") == [[[[255, 255]]], None, None, None]
    assert evaluate(MODEL, "[1000, 1001].map((n) => model.decode('AAAA'.repeat(n))?.[0].length ?? null)") == [1000, None]
    line = [[n % 256, 0] for n in range(1000)]
    [long, longer] = [evaluate(MODEL, "model.addressOf({ ink: [line], simple: [line], look: [] }).doodle", line=each)
                      for each in (line, [*line, [0, 0]])]
    assert len(long) == 4000 and longer is None
    judged = evaluate(MODEL, "all.map((ints) => model.judge({ output: { scale: 0.01, zero: 0 }, temperature: 1 }, ints).unsure)",
                      all=[[8, 0], [0, 0], [8, 0, -127, -127]])  # 52 %, a half, 34 %
    assert judged == [False, False, True]


def test_no_share_is_called_all_or_nothing_that_is_not():
    got = evaluate("shared/bars.js", "all.map((share) => model.percent(share))", all=[0, 1e-9, 4e-4, 6e-4, 0.94, 0.9994, 0.9996])
    assert [text.replace("\xa0", " ") for text in got] == ["0.0 %", "< 0.1 %", "< 0.1 %", "0.1 %", "94.0 %", "99.9 %", "> 99.9 %"]


# ---- The file, where it is none ----------------------------------------------------------------

def changed(**changes):
    """Return the file's bytes with another header: changes(header) returns it."""
    start = 8 + struct.unpack("<Q", bytes(BYTES[:8]))[0]
    header = json.loads(bytes(BYTES[8:start]))
    for path, value in changes.items():
        *way, last = path.split("__of__")[::-1]
        place = header
        for name in way:
            place = place[name.replace("_slash_", "/").replace("_meta_", "__metadata__")]
        place[last] = value
    text = json.dumps(header).encode()
    return [*struct.pack("<Q", len(text)), *text, *BYTES[start:]]


HOSTILE = {
    "empty": [], "seven bytes": BYTES[:7], "half": BYTES[:17_000], "one byte short": BYTES[:-1],
    "a page": list(b"<!doctype html><p>Not found" + b" " * 100),
    "a huge header": [255] * 8 + BYTES[8:], "a header cut off": BYTES[:500],
    "no JSON": [*struct.pack("<Q", 4), *b"nope"], "null": [*struct.pack("<Q", 4), *b"null"],
    "nothing in it": [*struct.pack("<Q", 2), *b"{}"],
    "another type": changed(dtype__of__conv1_slash_weights="F16"),
    "an unknown type": changed(dtype__of__conv1_slash_weights="__proto__"),
    "a wrong shape": changed(shape__of__conv1_slash_weights=[9, 1, 1, 16]),
    "a negative shape": changed(shape__of__conv1_slash_weights=[-3, -3, 1, 16]),
    "an offset outside": changed(data_offsets__of__conv1_slash_bias=[10 ** 9, 10 ** 9 + 64]),
    "an offset before": changed(data_offsets__of__conv1_slash_bias=[-64, 0]),
    "a layer that is not there": changed(layers__of___meta_='[{"name":"x","kind":"Dense","zero":0}]'),
    "no layers": changed(layers__of___meta_="[]"),
    "a kind that is none": changed(layers__of___meta_='[{"name":"conv1","kind":"eval","zero":0}]'),
    "nine names": changed(names__of___meta_=json.dumps(tool.NAMES[:9])),
    "a zero point outside": changed(output__of___meta_='{"scale":0.1,"zero":1000}'),
    "no scale": changed(output__of___meta_='{"zero":1}'),
    "no temperature": changed(temperature__of___meta_="0"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_that_is_none_is_refused(name):
    said = evaluate(MODEL, f"""(() => {{ try {{ {NETWORK} return null; }}
        catch (error) {{ return String(error); }} }})()""", file=HOSTILE[name])
    assert said is not None and "Error" in said


def test_the_file_cut_anywhere_is_refused():
    for length in np.random.default_rng(6).integers(0, len(BYTES), 60).tolist():
        said = evaluate(MODEL, f"""(() => {{ try {{ {NETWORK} return null; }}
            catch (error) {{ return String(error); }} }})()""", file=BYTES[:length])
        assert said is not None, length


# ---- In the browser, by hand -------------------------------------------------------------------

# As a reader may draw them, few strokes in a box of 100, to the right and down; none is the book's.
STRANGER = {
    "house": [[(10, 45), (10, 98), (88, 98), (88, 45), (10, 45), (50, 5), (90, 46)], [(40, 98), (40, 68), (60, 68), (60, 98)]],
    "cat": [[(20, 40), (14, 8), (38, 26), (64, 26), (88, 6), (82, 42), (88, 66), (70, 92), (34, 94), (14, 70), (20, 40)],
            [(38, 50), (39, 55)], [(64, 50), (65, 55)], [(46, 68), (56, 68), (51, 74), (46, 68)],
            [(28, 66), (2, 60)], [(28, 72), (2, 76)], [(74, 66), (99, 60)], [(74, 72), (99, 76)]],
    "rainbow": [[(2, 80), (10, 45), (30, 20), (52, 14), (76, 24), (92, 48), (98, 82)],
                [(16, 80), (24, 52), (40, 34), (54, 30), (70, 38), (80, 56), (84, 82)],
                [(32, 80), (38, 60), (52, 48), (64, 56), (70, 82)]],
    "banana": [[(12, 10), (10, 40), (26, 68), (54, 86), (90, 84), (94, 74), (62, 64), (42, 46), (32, 26), (26, 6), (12, 10)]],
    "flower": [[(50, 20), (44, 4), (60, 4), (56, 20), (74, 14), (74, 30), (58, 28), (64, 44), (48, 46), (50, 30), (34, 40), (28, 26), (46, 24), (34, 12), (50, 20)],
               [(50, 44), (52, 70), (50, 99)], [(52, 76), (68, 62), (74, 70), (52, 78)]],
    "book": [[(50, 24), (6, 12), (6, 78), (50, 92), (94, 78), (94, 12), (50, 24), (50, 92)], [(16, 34), (40, 40)], [(16, 50), (40, 56)], [(60, 40), (84, 34)], [(60, 56), (84, 50)]],
}


def points_of(page, stroke, left=0.12, top=0.12, side=0.76):
    box = page.locator(".pad").bounding_box()
    return [(box["x"] + (left + side * x / 100) * box["width"], box["y"] + (top + side * y / 100) * box["width"])
            for x, y in stroke]


def draw(page, strokes, **place):
    """Draw by the mouse."""
    page.locator(".pad").scroll_into_view_if_needed()
    for stroke in strokes:
        at = points_of(page, stroke, **place)
        page.mouse.move(*at[0])
        page.mouse.down()
        for point in at[1:]:
            page.mouse.move(*point, steps=4)
        page.mouse.up()


def skip(page):
    page.get_by_role("button", name="Skip").click()


def take(page, word):
    """Take a doodle of the book; their fold opens once."""
    ours = page.locator(".ours")
    if ours.get_attribute("open") is None:
        ours.locator("summary").click()
    page.get_by_role("button", name=f"{word}: a doodle").click()


def says(page, word):
    """It says so once: in the question's box, or else in its status."""
    expect(page.locator(".answer")).to_contain_text(f"The network says {word}, with")
    assert page.locator(".answer").inner_text().count("The network says") == 1
    expect(page.locator(".shares .best")).to_contain_text(word)


@SIZES
def test_drawn_doodles_are_recognised(figure, size):
    page = figure("draw-doodle", size=size)
    said = {}
    for word, strokes in STRANGER.items():
        draw(page, strokes)
        if not said:
            skip(page)
        expect(page.locator(".shares .best")).to_be_visible()
        said[word] = page.locator(".shares .best span").first.inner_text()
        page.get_by_role("button", name="Clear").click()
    assert sum(word == answer for word, answer in said.items()) >= 5, said
    assert said["house"] == "house" and said["cat"] == "cat"


@pytest.mark.parametrize("place", [dict(left=0.05, top=0.05, side=0.3), dict(left=0.5, top=0.45, side=0.45)])
def test_where_and_how_large_does_not_matter(figure, place):
    page = figure("draw-doodle")
    draw(page, STRANGER["house"], **place)
    skip(page)
    says(page, "house")


def test_a_finger_draws(figure):
    page = figure("draw-doodle", size=PHONE, has_touch=True)
    page.locator(".pad").scroll_into_view_if_needed()
    before = page.evaluate("scrollY")
    session = page.context.new_cdp_session(page)
    for stroke in STRANGER["house"]:
        at = points_of(page, stroke)
        for n, (x, y) in enumerate(at):
            session.send("Input.dispatchTouchEvent", {"type": "touchMove" if n else "touchStart", "touchPoints": [{"x": x, "y": y}]})
        session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert page.evaluate("scrollY") == before
    skip(page)
    says(page, "house")


@SIZES
def test_the_keyboard_draws_and_does_everything_else(figure, size):
    page = figure("draw-doodle", size=size)
    page.locator(".pad").focus()
    for key, times in [("ArrowUp", 3), ("ArrowLeft", 8), (" ", 1), ("ArrowDown", 10), ("ArrowRight", 16), ("ArrowUp", 10), ("ArrowLeft", 16)]:
        for _ in range(times):
            page.keyboard.press(key)
    for step in [("ArrowUp", "ArrowRight")] * 8 + [("ArrowDown", "ArrowRight")] * 8:
        for key in step:
            page.keyboard.press(key)
    page.keyboard.press(" ")
    page.get_by_role("button", name="Skip").focus()
    page.keyboard.press("Enter")
    says(page, "house")
    page.get_by_role("button", name="Undo stroke").focus()
    page.keyboard.press("Enter")
    assert page.locator(".status").inner_text() == "Draw something."
    page.locator(".ours summary").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="flower: a doodle").focus()
    page.keyboard.press("Space")
    says(page, "flower")
    page.locator(".inside summary").focus()
    page.keyboard.press("Enter")
    page.get_by_role("radio", name="convolution 1").focus()
    page.keyboard.press("ArrowRight")
    page.get_by_role("spinbutton", name="Map").focus()
    page.keyboard.press("ArrowUp")
    page.locator(".inside .figure-pad").focus()
    page.keyboard.press("ArrowUp")
    assert "pooling 1, map 1, row 12, column 13" in page.locator(".inside").inner_text()


@pytest.mark.parametrize("guess", ["cat", "banana"])
def test_it_asks_before_it_answers(figure, guess):
    page = figure("draw-doodle")
    draw(page, STRANGER["cat"])
    gate = page.locator(".figure-gate")
    expect(gate).to_contain_text("Which word will the network say?")
    assert set(page.locator(".share").all_inner_texts()) == {"?"} and page.locator(".status").text_content() == "Now guess what it will say."
    assert "it had never seen" not in page.locator("draw-doodle").inner_text()
    gate.get_by_role("button", name=guess, exact=True).click()
    verdict = page.locator(".figure-verdict")
    expect(verdict).to_be_focused()
    assert verdict.inner_text().startswith("Right." if guess == "cat" else "Not quite: cat.")
    says(page, "cat")
    assert "%" in page.locator(".share").first.inner_text()
    expect(page.locator(".answer .note")).to_contain_text("Of 2,000 drawings of these ten words that it had never seen, it said “cat” for 191, rightly for 167.")
    page.get_by_role("button", name="Clear").click()
    draw(page, STRANGER["house"])
    says(page, "house")  # asked once, not each time


def test_nothing_is_asked_of_any_server_but_the_network_and_that_once(figure):
    page = figure("draw-doodle")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.mouse.wheel(0, 400)
    page.mouse.move(400, 400)
    page.wait_for_timeout(200)
    assert asked == []  # who only reads pays nothing
    draw(page, STRANGER["house"])
    skip(page)
    for word in ("cat", "dog"):
        take(page, word)
        says(page, word)
    page.locator(".inside summary").click()
    page.get_by_role("radio", name="pooling 3").check()
    draw(page, STRANGER["rainbow"])
    page.wait_for_timeout(600)  # its address changes too, without a request
    assert [url.rpartition("/figures/")[2] for url in asked] == ["draw-doodle/network.safetensors"]


def test_it_comes_when_its_reader_is_near(figure, pages):
    page = figure("size-lab")
    far = f"{pages}/draw-doodle.html"

    def push_down(route):
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace("<article>", "<article><div style='height: 4000px'></div>"))

    page.route(far, push_down)
    asked = []
    page.on("request", lambda request: asked.append(request.url.rpartition("/draw-doodle/")[2].partition("?")[0]))
    page.goto(far)
    page.wait_for_timeout(300)
    assert "view.js" in asked and "figure.js" not in asked and "model.js" not in asked
    heights = [page.locator("draw-doodle").bounding_box()["height"]]
    page.locator(".after").scroll_into_view_if_needed()
    page.locator("draw-doodle[data-ready]").wait_for()
    heights.append(page.locator("draw-doodle").bounding_box()["height"])
    assert "figure.js" in asked and "network.safetensors" not in asked
    assert abs(heights[1] - heights[0]) < 24 and heights[0] > 500  # nothing jumps


@pytest.mark.parametrize("body", [b"", bytes(BYTES[:20_000]), b"<!doctype html>Not here", bytes(HOSTILE["nine names"])], ids=len)
def test_a_file_that_does_not_fit_gets_a_sentence_and_another_try(figure, body):
    page = figure("draw-doodle")
    page.route("**/network.safetensors", lambda route: route.fulfill(body=body))
    draw(page, STRANGER["house"])
    expect(page.locator(".status")).to_contain_text("did not arrive as it should")
    assert page.locator(".figure-gate").count() == 0
    page.unroute("**/network.safetensors")
    take(page, "cat")
    skip(page)
    says(page, "cat")


def test_when_there_is_no_answer(figure):
    page = figure("draw-doodle")
    status = page.locator(".status")
    assert status.inner_text() == "Draw, then guess what the network will say."
    page.locator(".pad").click(position={"x": 60, "y": 80})
    assert status.inner_text() == "A dot: draw a little more." and page.locator(".figure-gate").count() == 0
    draw(page, STRANGER["house"])
    skip(page)
    page.get_by_role("button", name="Clear").click()
    assert status.inner_text() == "Draw something."
    expect(page.locator(".shares")).to_be_hidden()  # nothing to read, nothing to show
    expect(page.locator(".read")).to_be_hidden()


def test_it_says_when_it_is_not_sure(figure):
    strokes, share = unsure_scribble()
    text = tool_text(strokes)
    page = figure("draw-doodle", f"doodle={text}")
    expect(page.locator(".status")).to_contain_text("The network is not sure. Likeliest of its words:")
    assert abs(float(page.locator(".share").first.inner_text().removesuffix("\xa0%")) - 100 * share) < 0.06
    expect(page.locator(".answer .note, .shares .best")).to_have_text([""])  # it did not say that word


def test_where_it_is_not_sure_no_guess_is_right_or_wrong(figure):
    [strokes, share] = unsure_scribble()
    page = figure("draw-doodle")
    draw(page, [[(100 * x / 255, 100 * y / 255) for x, y in stroke] for stroke in strokes], left=0.02, top=0.02, side=0.91)
    page.locator(".figure-gate").get_by_role("button", name="dog", exact=True).click()
    assert page.locator(".figure-verdict").inner_text().startswith("The network is not sure. Likeliest")


def tool_text(strokes):
    return evaluate(MODEL, "model.addressOf({ ink: strokes, simple: strokes, look: [] }).doodle", strokes=strokes)


def unsure_scribble():
    """Return the first random drawing that gets less than a half, and its share."""
    drawn = evaluate(MODEL, "drawn.map((ink) => model.simplify(ink))", drawn=lists(scribbles(40, 7)))
    judged = evaluate(MODEL, f"""(() => {{ {NETWORK} return drawn.map((strokes) => model.judge(network,
        model.forward(network, model.rasterise(strokes)).logits)); }})()""", file=BYTES, drawn=drawn)
    return next((strokes, max(each["shares"])) for strokes, each in zip(drawn, judged, strict=True) if each["unsure"])


def test_a_drawing_can_be_shared(figure):
    page = figure("draw-doodle")
    draw(page, STRANGER["cat"])
    skip(page)
    page.wait_for_timeout(600)  # an address is written now and then
    shared = figure("draw-doodle", page.url.split("?")[1] + "&look=conv2,5,3,4")
    says(shared, "cat")
    assert shared.locator(".status").inner_text() == page.locator(".figure-verdict").inner_text()
    shared.locator(".inside summary").click()
    assert "convolution 2, map 5, row 3, column 4" in shared.locator(".inside").inner_text()


@SIZES
def test_the_integers_of_a_layer_are_shown(figure, size):
    run_integers = definitions("23")["run_integers"]
    text = tool.read_samples()["house"]
    page = figure("draw-doodle", f"doodle={text}", size)
    page.locator(".inside summary").click()
    page.get_by_role("radio", name="pooling 2").check()
    page.get_by_role("spinbutton", name="Map").fill("9")
    pad = page.locator(".inside .figure-pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    pad.click(position={"x": 2.5 * box["width"] / 7, "y": 4.5 * box["height"] / 7})
    [bytes_] = evaluate(MODEL, "[model.rasterise(strokes)]", strokes=SAMPLES["house"])
    net, metadata = tool.read_network()
    image = as_integers(np.array(bytes_, np.uint8).reshape(1, 28, 28))
    maps = run_integers({**net, "layers": net["layers"][:2]}, image)[0]
    layer = metadata["layers"][1]
    real = (int(maps[4, 2, 9]) - layer["zero"]) * layer["scale"]
    shown = page.locator(".inside").inner_text()
    assert f"pooling 2, map 9, row 4, column 2: the integer {maps[4, 2, 9]}.".replace("-", "−") in shown
    assert f"{real:.3f}".rstrip("0").rstrip(".") in shown
    table = [int(text.replace("−", "-")) for text in page.locator(".inside td").all_inner_texts()]
    assert np.array_equal(table, maps[:, :, 9].ravel())
    expect(page.locator("td.middle")).to_have_text(str(maps[4, 2, 9]).replace("-", "−"))
    ends = run_integers(net, image)[0]
    for name, value in zip(tool.NAMES, ends, strict=True):
        assert f"{name} {value}".replace("-", "−") in shown
    expect_query(page, doodle=text, look="pool2,9,4,2")


@SIZES
def test_without_a_look_inside_nothing_is_left_of_it(figure, size):
    page = figure("draw-doodle[compact]", size=size)
    take(page, "dog")
    skip(page)
    says(page, "dog")
    assert page.locator(".inside").count() == 0
    assert page.locator("draw-doodle").inner_text().endswith("which stays on this page.")
    assert page.locator("draw-doodle").evaluate("figure => [...figure.childNodes].every((node) => node.nodeType === 1)")


def test_pictures_have_names(figure):
    page = figure("draw-doodle", f"doodle={tool.read_samples()['cat']}")
    page.locator(".inside summary").click()
    names = page.locator("canvas").evaluate_all("all => all.map((one) => one.getAttribute('aria-label'))")
    assert len(names) == 3 and all(names) and len(set(names)) == 3


def test_both_fields_of_the_first_page_keep_their_addresses_apart():
    names = [evaluate(f"{tag}/model.js", "model.NAMES") for tag in ("draw-digit", "explain-digit", "draw-doodle")]
    assert not set(names[2]) & {*names[0], *names[1]}


# ---- A network that comes late, or not ---------------------------------------------------------

def hold(page):
    """Let the network wait: return the list that its request will stand in."""
    held = []
    page.route("**/network.safetensors", lambda route: held.append(route))
    return held


def let_go(page, held):
    page.wait_for_function("document.querySelector('draw-doodle').fetching !== undefined")
    page.wait_for_timeout(100)
    [route] = held
    route.continue_()
    page.wait_for_function("document.querySelector('draw-doodle').network !== undefined")


def test_a_drawing_is_not_replaced_by_a_doodle_that_comes_late(figure):
    page = figure("draw-doodle")
    held = hold(page)
    take(page, "cat")
    draw(page, STRANGER["house"])
    let_go(page, held)
    skip(page)
    says(page, "house")


def test_of_two_doodles_the_last_comes_and_one_alone_comes_late(figure):
    page = figure("draw-doodle")
    held = hold(page)
    take(page, "cat")
    take(page, "dog")
    let_go(page, held)
    skip(page)
    says(page, "dog")


def test_nothing_is_asked_within_a_stroke(figure):
    page = figure("draw-doodle")
    held = hold(page)
    page.locator(".pad").scroll_into_view_if_needed()
    [first, *others] = points_of(page, STRANGER["house"][0])
    page.mouse.move(*first)
    page.mouse.down()
    for point in others:
        page.mouse.move(*point, steps=4)
    let_go(page, held)
    page.wait_for_timeout(100)
    assert page.locator(".figure-gate").count() == 0
    page.mouse.up()
    expect(page.locator(".figure-gate")).to_be_visible()
    expect(page.locator(".status")).to_have_text("Now guess what it will say.")


def test_after_a_failure_the_keyboard_fetches_it_again(figure):
    page = figure("draw-doodle")
    page.route("**/network.safetensors", lambda route: route.fulfill(body=b""))
    page.locator(".pad").focus()
    expect(page.locator(".status")).to_contain_text("did not arrive as it should")
    page.evaluate("document.querySelector('.inside').open = true")
    assert "The integers come with the network's file." in page.locator(".inside").inner_text()
    page.wait_for_timeout(100)
    page.unroute("**/network.safetensors")
    for key in [" ", *["ArrowDown"] * 5, *["ArrowLeft"] * 5, " "]:
        page.keyboard.press(key)
    expect(page.locator(".figure-gate")).to_be_visible()
    assert "All weights and all values between layers" in page.locator(".inside").inner_text()


# ---- What is seen and heard --------------------------------------------------------------------

def test_ink_stays_in_the_field(figure):
    page = figure("draw-doodle")
    draw(page, [[(50, 50), (180, 60), (50, -60)]])
    x, y = page.evaluate("(([x, y]) => [x, y])([0, 1].map((n) => document.querySelector('draw-doodle').state.ink.flat().map((at) => at[n])))")
    assert min(y) == 0 and max(x) == 280 and min(x) > 0


def test_the_pen_is_heard_and_the_answer_once(figure):
    page = figure("draw-doodle")
    page.locator(".pad").focus()
    pen = page.locator(".draw .spoken")
    page.keyboard.press("ArrowUp")
    expect(pen).to_have_text("Pen up: row 14, column 15 of 28.")
    page.keyboard.press(" ")
    page.keyboard.press("ArrowLeft")
    expect(pen).to_have_text("Pen down: row 14, column 14 of 28.")
    for _ in range(6):
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("Tab")  # who leaves the field lifts the pen
    expect(pen).to_have_text("")
    expect(page.locator(".status")).to_have_text("Now guess what it will say.")
    skip(page)
    page.evaluate("""() => { window.heard = [];
        new MutationObserver((all) => heard.push(...all)).observe(document.querySelector(".status"), { childList: true, characterData: true, subtree: true }); }""")
    page.locator(".pad").focus()
    page.keyboard.press(" ")
    for _ in range(9):
        page.keyboard.press("ArrowDown")
    page.wait_for_timeout(100)
    assert page.evaluate("heard.length") == 0
    page.keyboard.press(" ")
    assert page.evaluate("heard.length") >= 1


def test_before_a_guess_nothing_is_in_the_address(figure):
    page = figure("draw-doodle")
    draw(page, STRANGER["cat"])
    page.wait_for_timeout(600)  # an address is written within 400 ms
    assert "?" not in page.url  # loading it again would give the answer away
    skip(page)
    page.wait_for_url("**doodle=*")


def test_bars_are_seen_in_forced_colours(figure):
    page = figure("draw-doodle", f"doodle={tool.read_samples()['house']}")
    page.emulate_media(forced_colors="active")
    bar, ground = page.evaluate("""() => [".best .bar span", ".best .bar"].map((query) =>
        getComputedStyle(document.querySelector(query)).backgroundColor)""")
    assert bar == "rgb(0, 0, 0)" != ground


def test_integers_are_whole_on_a_small_phone(figure):
    page = figure("draw-doodle", f"doodle={tool.read_samples()['house']}", dict(width=320, height=640))
    page.locator(".inside summary").click()
    cells = page.evaluate("[...document.querySelectorAll('.inside td')].map((cell) => [cell.textContent, cell.offsetHeight, cell.scrollWidth - cell.clientWidth])")
    assert {"−128"} <= {text for text, *_ in cells}
    assert len({height for _, height, _ in cells}) == 1 and max(over for *_, over in cells) <= 0


def test_the_look_inside_leads_to_the_chapter_of_its_integers(figure):
    page = figure("draw-doodle", f"doodle={tool.read_samples()['house']}")
    name = page.locator(".inside a").get_attribute("href").removesuffix(".html")
    assert name.startswith("23_") and (ROOT / "notebooks" / f"{name}.ipynb").exists()
