"""Cost lab: its four ways against TensorFlow, its counts against chapter 05 and a count of what is
multiplied, its measurement with a clock of the test's own, and the figure in a browser. No test
says how long anything takes.
"""

import json
import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tensorflow as tf
from axe_playwright_python.sync_playwright import Axe
from browser import DESKTOP, PHONE
from conftest import definitions
from figure_models import FIGURES, SENTENCES, bundle, call, evaluate
from figure_pages import expect_query
from playwright.sync_api import expect
from py_mini_racer import MiniRacer

pytest_plugins = ["figure_pages"]

MODEL, WAYS, MEASURE = (f"cost-lab/{name}.js" for name in ("model", "ways", "measure"))
METHODS = ["direct", "im2col", "separable", "fft"]
START = dict(F=31, W=128, C=1, K=1, S=1, thin=True)
RANDOM = "let seed = 7; const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;"


def settings(F, W, C=1, K=1, S=1, thin=True):
    return dict(F=F, W=W, C=C, K=K, S=S, thin=thin)


# ---- The ways ------------------------------------------------------------------------------------

def ways_of(case):
    """Return a random problem, as JavaScript made it, with the outputs of each way."""
    return evaluate(WAYS, f"""(() => {{ {RANDOM}
        const problem = model.newProblem(settings, random);
        const outputs = Object.fromEntries(Object.entries(model.WAYS)
            .filter(([method]) => settings.thin || method !== "separable")
            .map(([method, way]) => [method, way(problem)]));
        return {{ ...problem, outputs, errors: Object.values(outputs)
            .map((y) => model.errorOf(y, problem, random)) }};
    }})()""", settings=case)


@pytest.mark.parametrize("case", [
    START, settings(1, 8), settings(2, 9, 2, 3), settings(3, 10, 3, 2, 2), settings(4, 13, 1, 2, 3, False),
    settings(5, 16, 2, 5, 1, False), settings(7, 11, 4, 1, 4), settings(33, 16, 1, 2), settings(63, 8, 2, 1, 2, False),
], ids=str)
def test_each_way_is_tensorflows_convolution(case):
    got = ways_of(case)
    F, W, C, K, S = (case[name] for name in "FWCKS")
    sizes = got["sizes"]
    P, before, outputs = sizes["P"], sizes["before"], sizes["O"]
    padded = np.reshape(got["x"], (C, P, P))
    x = padded[:, before:before + W, before:before + W]
    assert np.abs(padded).sum() == pytest.approx(np.abs(x).sum())  # around it are zeros
    w = np.reshape(got["w"], (K, C, F, F))
    if case["thin"]:
        columns, rows = (np.reshape(got[name], (K, C, F)) for name in ("columns", "rows"))
        np.testing.assert_allclose(w, columns[..., None] * rows[..., None, :], atol=1e-6)
    else:
        assert F == 1 or np.linalg.matrix_rank(w[0, 0]) > 1
    y = tf.nn.conv2d(x.transpose(1, 2, 0)[None], w.transpose(2, 3, 1, 0), S, "SAME")[0].numpy().transpose(2, 0, 1)
    assert list(got["outputs"]) == [method for method in METHODS if case["thin"] or method != "separable"]
    assert y.shape == (K, outputs, outputs)
    for method, values in got["outputs"].items():
        np.testing.assert_allclose(np.reshape(values, y.shape), y, atol=2e-5 * np.abs(y).max(), err_msg=method)
    assert max(got["errors"]) < 1e-5


@pytest.mark.parametrize("N", [1, 2, 4, 8, 64, 512])
def test_a_transform_is_numpys(N):
    z = np.random.default_rng(N).normal(size=(2, N))
    re, im = evaluate(WAYS, """((re, im) => {
        model.transform(re, im, 0, model.newPlan(re.length));
        return [re, im];
    })(Float64Array.from(re), Float64Array.from(im))""", re=z[0].tolist(), im=z[1].tolist())
    np.testing.assert_allclose(np.array(re) + 1j * np.array(im), np.fft.fft(z[0] + 1j * z[1]), atol=1e-11 * N)


def test_an_error_in_one_place_is_found():
    """Of two outputs at least one, whichever it is: they are all looked at."""
    errors = evaluate(WAYS, f"""(() => {{ {RANDOM}
        const problem = model.newProblem(settings, random);
        return [0, 1, 2, 3].map((wrong) => {{
            const y = model.WAYS.direct(problem);
            y[wrong] += 1;
            return model.errorOf(y, problem, random);
        }});
    }})()""", settings=settings(3, 8, S=4))
    assert min(errors) > 0.1


# ---- What they cost ------------------------------------------------------------------------------

CASES = [START, settings(1, 8), settings(4, 12, 2, 3), settings(3, 16, 3, 2, 2), settings(5, 10, 2, 2, 3), settings(9, 8, 1, 2, 4)]


def costs(case):
    return dict(zip(METHODS, call(MODEL, "costOf", [[method, case] for method in METHODS]), strict=True))


def multiplications(case):
    """Return how often each way multiplies an element of an array: its code with a counter in it."""
    code = bundle(FIGURES / WAYS)
    counted, changed = re.subn(r"\] \* ", "] * tick() * ", code)
    assert changed >= 4 + 4 + 4 + 2  # im2col, butterfly, product of transforms; the loops and the thin passes
    path = json.dumps(str((FIGURES / WAYS).resolve()))
    script = f"""(() => {{ {RANDOM}
        const model = modules[{path}];
        const problem = model.newProblem({json.dumps(case)}, random);
        return JSON.stringify(Object.values(model.WAYS).map((way) => {{ ticks = 0; way(problem); return ticks; }}));
    }})()"""

    def run():
        return MiniRacer().eval(f"let ticks = 0; const tick = () => {{ ticks += 1; return 1; }};\n{counted}\n{script}")

    with ThreadPoolExecutor(1) as pool:  # with a browser open, this thread has a loop
        return dict(zip(METHODS, json.loads(pool.submit(run).result()), strict=True))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_multiply_adds_are_chapter_05s_and_those_that_the_code_does(case):
    F, W, C, K, S = (case[name] for name in "FWCKS")
    side = -(-W // S)
    got, done = costs(case), multiplications(case)
    chapter = definitions("05")["count_macs"]((side, side), (F, F, C, K))
    assert got["direct"]["macs"] == got["im2col"]["macs"] == done["direct"] == chapter
    rows = -(-side * side // 4) * 4  # four at a time, the last ones again
    assert done["im2col"] == rows * F * F * C * K
    assert got["separable"]["macs"] == done["separable"]
    if S == 1:
        assert got["separable"]["macs"] * F == 2 * chapter  # 2 F instead of F F
    # An FFT: 4 multiplications and 6 additions a butterfly, two of which are one multiply-add.
    [sizes] = call(MODEL, "sizesOf", [[case]])
    N = sizes["N"]
    products = 4 * N * N * C * K
    assert got["fft"]["macs"] == (done["fft"] - products) / 4 * 5 + products
    assert N >= sizes["P"] > N / 2 and N & (N - 1) == 0


def test_a_butterfly_has_ten_operations():
    source = (FIGURES / WAYS).read_text(encoding="utf-8")
    butterfly = source[source.index("const reB = re[b]"):source.index("im[b] = imA - imB;") + 20]
    assert butterfly.count(" * ") == 4 and len(re.findall(r"[\w\]] [+-] ", butterfly)) == 6


@pytest.mark.parametrize("case", CASES, ids=str)
def test_bytes_are_those_of_the_arrays(case):
    """Each array as NumPy has it, in 32 bits: read once, written once, or both."""
    F, W, C, K, S = (case[name] for name in "FWCKS")
    side, got = -(-W // S), costs(case)
    [sizes] = call(MODEL, "sizesOf", [[case]])
    N = sizes["N"]

    def numbers(*shape):
        return np.empty(shape, np.float32).nbytes

    ends = numbers(W, W, C) + numbers(side, side, K)
    weights = numbers(F, F, C, K)
    x = np.zeros((1, W, W, C), np.float32)
    matrix = definitions("05")["im2col"](x, F, stride=S, padding="SAME").nbytes
    transforms = np.empty((C + C * K + K, N, N), np.complex64).nbytes
    assert got["direct"]["bytes"] == got["direct"]["memory"] == ends + weights
    assert got["im2col"]["bytes"] == ends + weights + 2 * matrix
    assert got["separable"]["bytes"] == ends + numbers(F, C, K) * 2 + 2 * numbers(side, W, C, K)
    assert got["fft"]["bytes"] == ends + weights + 2 * transforms


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_its_own_arrays_take_is_what_it_asks_for(case):
    asked = evaluate(WAYS, f"""(() => {{ {RANDOM}
        const problem = model.newProblem(settings, random);
        const kept = Float32Array;
        let bytes;
        globalThis.Float32Array = class extends kept {{
            constructor(...given) {{
                super(...given);
                bytes += this.byteLength;
            }}
        }};
        const asked = Object.values(model.WAYS).map((way) => {{
            bytes = 0;
            const y = way(problem);
            return bytes - y.byteLength;
        }});
        globalThis.Float32Array = kept;
        return asked;
    }})()""", settings=case)
    got = costs(case)
    assert asked == [each["memory"] - got["direct"]["memory"] for each in got.values()]


def test_the_padded_sides_are_the_chapters():
    for case in [*CASES, *(settings(F, W, S=S) for F in (1, 2, 31, 63) for W in (8, 9, 128) for S in (1, 2, 3, 4))]:
        before, after = definitions("05")["same_padding"](case["W"], case["F"], case["S"])
        [sizes] = call(MODEL, "sizesOf", [[case]])
        assert (sizes["O"], sizes["before"], sizes["P"]) == (-(-case["W"] // case["S"]), before, before + case["W"] + after)


def test_the_roof():
    machine = dict(peak=100, band=10)
    got = call(MODEL, "roof", [[dict(macs=500, bytes=50), machine], [dict(macs=500, bytes=100), machine],
                               [dict(macs=500, bytes=5), machine]])
    assert got == [dict(seconds=5, share=1), dict(seconds=10, share=0.5), dict(seconds=5, share=1)]


@pytest.mark.parametrize("cost", ["macs", "bytes", "seconds"])
@pytest.mark.parametrize("case", [START, settings(7, 240, thin=False), settings(3, 64, 16, 16, 2), settings(5, 30, 1, 8, 1, False)], ids=str)
def test_where_ways_cross(case, cost):
    """The stretches, and from where each way passes the loops, from the costs at each F."""
    machine = dict(peak=2e9, band=5e9)
    lines, stretches, passing = evaluate(MODEL, """((lines) =>
        [lines, model.cheapest(lines), model.passing(lines)])(model.linesOf(cost, settings, machine))""",
        settings=case, cost=cost, machine=machine)
    for F in range(1, 64):
        each = costs({**case, "F": F})
        value = {m: max(c["macs"] / 2e9, c["bytes"] / 5e9) if cost == "seconds" else c[cost] for m, c in each.items()
                 if case["thin"] or m != "separable"}
        assert {method: line[F - 1] for method, line in lines.items()} == pytest.approx(value)
        [best] = [each["method"] for each in stretches if each["from"] <= F <= each["to"]]
        assert value[best] == min(value.values())
        for method in set(value) - {"direct"}:
            assert (value[method] < value["direct"]) or F < passing.get(method, 64)
            assert F != passing.get(method, 0) - 1 or value[method] >= value["direct"]
    assert all(one["method"] != other["method"] for one, other in zip(stretches, stretches[1:]))


def test_the_prediction_is_true():
    got = costs(START)
    assert sorted(METHODS, key=lambda method: got[method]["macs"])[0] == "separable"
    assert evaluate(MODEL, "model.settingsOf(model.stateFrom({}))") == START
    said = " ".join(SENTENCES)
    for method, words in dict(separable="1.02 million in all", fft="The FFT has 8.13 million", direct="the loops 15.7 million").items():
        number = re.search(r"[\d.]+", words)[0]
        assert words in said and number == f"{got[method]['macs'] / 1e6:.3g}"
    assert got["direct"]["macs"] / 128 ** 2 == 31 * 31 and got["separable"]["macs"] / 128 ** 2 == 2 * 31


def test_the_formulas_come_to_their_results():
    for case in CASES:
        for method, cost in costs(case).items():
            for text, result in zip(call(MODEL, "formulas", [[method, case]])[0], (cost["macs"], cost["bytes"]), strict=True):
                formula, _, written = text.partition(" = ")
                python = formula.replace("·", "*").replace("²", "**2").replace(" ", "")
                assert eval(python) == result == int(written.replace(",", "")), text


def test_numbers_with_letters_for_thousands():
    values = [0, 7, 999, 1000, 1024, 9996, 99_960, 999_600, 1e6, 15_745_024, 1.5e9, 2e12, 0.125, 0.00512]
    got = call(MODEL, "scaled", [[value] for value in values])
    want = [("0", 0), ("7", 0), ("999", 0), ("1.00", 1), ("1.02", 1), ("10.0", 1), ("100", 1), ("1.00", 2), ("1.00", 2),
            ("15.7", 2), ("1.50", 3), ("2.00", 4), ("0.125", 0), ("0.00512", 0)]
    assert [(each["digits"], each["power"]) for each in got] == want


# ---- The measurement -----------------------------------------------------------------------------

def measured(case, tick=1e-2, each=0, body=""):
    """Return {machine, results, calls, end} by a clock that goes on by `tick` seconds whenever it is
    read, and by `each` when a way is done with the problem itself.
    """
    ways = json.dumps(str((FIGURES / WAYS).resolve()))
    return evaluate(MEASURE, f"""(() => {{ {RANDOM}
        const {{ WAYS }} = modules[{ways}];
        const kept = {{ ...WAYS }};
        const calls = [];
        let now = 0;
        const clock = () => (now += {tick});
        for (const [method, way] of Object.entries(kept)) {{
            WAYS[method] = (problem) => {{
                calls.push([method, problem.sizes.W]);
                if (problem.sizes.W === settings.W) now += {each};
                return way(problem);
            }};
        }}
        {body}
        const told = model.measure(settings, clock, random);
        Object.assign(WAYS, kept);
        return {{ ...told, calls, end: now }};
    }})()""", settings=case)


def test_a_measurement_has_medians_of_all_ways_in_turn():
    got = measured(settings(3, 40, 1, 2))
    assert set(got["results"]) == set(METHODS) and got["end"] < 2.5
    assert min(got["machine"].values()) > 0
    for each in got["results"].values():
        assert each["runs"] >= 3 and each["seconds"] > 0
    real = [method for method, W in got["calls"] if W == 40]
    turns = [method for n, method in enumerate(real[4:]) if n == 0 or method != real[3 + n]]
    first = turns[:4]
    assert sorted(real[:4]) == sorted(METHODS) == sorted(first)  # each is judged once, then they take turns
    assert turns[:12] == first * 3
    assert {method for method, W in got["calls"] if W == 32} == set(METHODS)  # they warmed up


def test_what_does_not_fit_is_left_out():
    got = measured(settings(31, 256), each=0.3)["results"]  # im2col's matrix has 252 MB
    assert got["im2col"] == dict(left="memory") and "seconds" in got["separable"]
    got = measured(settings(3, 40), tick=0.15)  # a clock that races: the time is over before the first run
    assert {each["left"] for each in got["results"].values()} == {"time"}
    assert all(W == 32 for _, W in got["calls"])
    assert got["results"]["direct"]["seconds"] == pytest.approx(0.15 * 40 ** 2 / 32 ** 2)  # as fast as it warmed up
    got = measured(settings(63, 512, 64, 64, thin=False))
    assert got["results"] == {method: dict(left="memory") for method in ("direct", "im2col", "fft")}


def test_a_way_that_is_wrong_has_no_time():
    got = measured(settings(3, 40), body="WAYS.fft = (problem) => kept.fft(problem).map((y) => 1.01 * y);")["results"]
    assert got.pop("fft") == dict(left="wrong")
    assert all(each["seconds"] > 0 for each in got.values()) and len(got) == 3


def test_a_median():
    assert call(MODEL, "median", [[[3, 1, 10]], [[4, 1, 2, 10]], [[5]]]) == [3, 3, 5]


# ---- In the browser ------------------------------------------------------------------------------

def button(page, name):
    return page.get_by_role("button", name=name)


def cells(page, row):
    """Return the texts of a row of the table."""
    found = page.locator("tbody tr", has=page.get_by_role("rowheader", name=row, exact=True))
    return [text.replace("\xa0", " ") for text in found.locator("td").all_inner_texts()]


def part(page, name):
    return page.locator(f"[data-part={name}]")


def measure(page, F):
    button(page, f"Measure at F = {F} in this browser").click()
    expect(part(page, "live")).to_contain_text("Your browser makes at most", timeout=90_000)


def expect_no_worker(page):
    """Wait until it is gone: Chromium lets one that computes have some seconds."""
    for _ in range(60):
        if not page.workers:
            return
        page.wait_for_timeout(250)
    raise AssertionError("the worker goes on")


def test_it_counts_what_the_reader_chooses(figure):
    page = figure("cost-lab")
    button(page, "two thin kernels").click()
    expect(page.locator(".figure-verdict")).to_contain_text("Right.")
    assert cells(page, "multiply-adds") == ["15.7 M", "15.7 M", "1.02 M", "8.13 M"]
    assert cells(page, "bytes moved") == ["135 kB", "126 MB", "262 kB", "3.28 MB"]
    expect(part(page, "crossing")).to_have_text(
        "Fewest multiply-adds: direct from F = 1 to 2; separable from F = 3 on. Cheaper than the loops: "
        "separable from F = 3 on; FFT from F = 23 on. im2col makes as many as the loops.")
    page.get_by_label("Kernel F", exact=True).fill("5")
    page.get_by_label("Channels out", exact=True).fill("16")
    page.get_by_label("Stride", exact=True).fill("2")
    page.get_by_role("radio", name="any").check()
    page.get_by_role("radio", name="im2col").check()
    page.get_by_role("radio", name="bytes").check()
    expect_query(page, F=5, K=16, S=2, rank="any", method="im2col", cost="bytes")
    got = costs(settings(5, 128, 1, 16, 2))
    assert cells(page, "multiply-adds") == ["1.64 M", "1.64 M", "–", f"{got['fft']['macs'] / 1e6:.3g} M"]
    assert got["direct"]["macs"] == 1_638_400
    expect(page.locator(".formula")).to_contain_text("Multiply-adds: 64² · 5² · 1 · 16 = 1,638,400")
    expect(part(page, "summary")).to_contain_text("im2col and a matrix product, F = 5: 1.64")
    expect(part(page, "crossing")).to_have_text("Fewest bytes: direct from F = 1 on.")
    page.get_by_role("radio", name="separable").check()
    expect(part(page, "summary")).to_have_text("Only a kernel that is a column times a row can be two thin ones.")


def test_its_lines_are_the_costs(figure):
    page = figure("cost-lab", "F=9&W=64&C=4&K=2")
    lines = {line.get_attribute("data-way"): [list(map(float, point.split(","))) for point in line.get_attribute("points").split()]
             for line in page.locator("polyline[data-way]").all()}
    assert list(lines) == METHODS
    expected = [[costs(settings(F, 64, 4, 2))[method]["macs"] for F in range(1, 64)] for method in METHODS]
    logs, drawn = np.log10(expected), np.array(list(lines.values()))
    low, high = np.floor(logs.min()), np.ceil(logs.max())
    np.testing.assert_allclose(drawn[..., 1], 100 * (1 - (logs - low) / (high - low)), atol=0.006)
    np.testing.assert_allclose(drawn[..., 0], np.tile(100 * np.log(np.arange(1, 64)) / np.log(63), (4, 1)), atol=0.006)
    mark = page.locator("[data-mark=direct]").get_attribute("points").split()[0].split(",")
    np.testing.assert_allclose(list(map(float, mark)), drawn[0, 8], atol=0.006)


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_it_measures(figure, size):
    page = figure("cost-lab", "F=7&W=64", size)
    asked = []
    page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
    page.get_by_label("Kernel F", exact=True).fill("9")
    assert asked == [] and not page.get_by_role("radio", name="least time").is_visible()
    assert cells(page, "measured") == []  # the row is hidden
    measure(page, 9)
    assert {"worker.js", "ways.js"} <= set(asked)
    expect_no_worker(page)
    for row in ("measured", "least time"):
        assert len(cells(page, row)) == 4 and all(re.fullmatch(r"[\d.]+ [nµm]?s", text) for text in cells(page, row)), cells(page, row)
    assert all(re.fullmatch(r"[\d.]+ %", text) for text in cells(page, "of the peak, at most") + cells(page, "of the peak, measured"))
    expect(page.get_by_role("radio", name="least time")).to_be_checked()
    expect(page.locator("[data-measured]")).to_have_count(4)
    expect(part(page, "live")).to_contain_text(re.compile("Fastest here at F = 9: .+; the roofline allows"))
    expect(part(page, "crossing")).to_contain_text("A ring is a measured time.")
    assert page.evaluate("document.documentElement.scrollWidth") == size["width"]
    for theme in ("light", "dark"):
        page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
        assert [each["id"] for each in Axe().run(page).response["violations"]] == []
    page.get_by_label("Kernel F", exact=True).fill("3")
    expect(page.locator("[data-measured]")).to_have_count(4)  # that of F = 9 stays in the chart
    assert cells(page, "measured") == ["–"] * 4
    page.get_by_label("Channels in", exact=True).fill("2")
    expect(page.locator("[data-measured]")).to_have_count(0)  # it is of other settings
    page.get_by_label("Channels in", exact=True).fill("1")
    expect(page.locator("[data-measured]")).to_have_count(4)
    page.get_by_role("radio", name="multiply-adds").check()
    expect(page.locator("[data-measured]")).to_have_count(0)


def test_what_is_not_run_says_why(figure):
    page = figure("cost-lab", "F=63&W=512&C=64&K=64&rank=any")
    measure(page, 63)
    expect(part(page, "live")).to_contain_text("Nothing here fits into two seconds and 134 MB")
    assert 2 ** 27 == 134_217_728 and evaluate(MEASURE, "model.LIMITS.memory") == 2 ** 27
    assert cells(page, "measured") == ["not run: 199 MB", "not run: 267 GB", "–", "not run: 753 MB"]


def test_a_measurement_can_be_stopped_and_the_page_goes_on_meanwhile(figure):
    page = figure("cost-lab", "W=256")

    def prolong(route):
        answer = route.fetch()
        longer = answer.text().replace("all: 2,", "all: 60,").replace("ROUNDS = 21", "ROUNDS = 10000")
        assert longer.count("60,") == longer.count("10000") == 1
        route.fulfill(response=answer, body=longer)

    page.route("**/measure.js", prolong)
    button(page, "Measure at F = 31").focus()
    page.keyboard.press("Enter")
    expect(part(page, "live")).to_have_text("Measuring, for two seconds.")
    page.wait_for_timeout(1000)
    page.get_by_label("Kernel F, slider").press("ArrowRight")  # the page is free
    expect(part(page, "summary")).to_contain_text("F = 32")
    assert len(page.workers) == 1
    button(page, "Stop").click()
    expect(part(page, "live")).to_have_text("Stopped: nothing was measured.")
    expect(button(page, "Measure at F = 32")).to_be_focused()
    expect_no_worker(page)
    assert cells(page, "measured") == []


def test_the_keyboard_and_a_finger_choose_the_kernel(figure):
    page = figure("cost-lab", "F=31", PHONE, has_touch=True)
    slider = page.get_by_label("Kernel F, slider")
    slider.press("ArrowLeft")
    expect(part(page, "summary")).to_contain_text("F = 30")
    slider.press("Home")
    expect(part(page, "summary")).to_contain_text("F = 1:")
    svg = page.locator(".plot svg")
    svg.scroll_into_view_if_needed()
    box = svg.bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] * np.log(15) / np.log(63), box["y"] + 50)
    expect(part(page, "summary")).to_contain_text("F = 15")
    expect_query(page, F=15)
    assert slider.input_value() == "15" == page.get_by_label("Kernel F", exact=True).input_value()
    page.get_by_role("radio", name="direct").press("ArrowRight")
    expect_query(page, F=15, method="im2col")


@pytest.mark.parametrize("label, value", [("Kernel F", "64"), ("Kernel F", ""), ("Input side", "7"), ("Stride", "1.5"), ("Channels in", "-1")])
def test_nonsense_is_said(figure, label, value):
    page = figure("cost-lab", "F=5")
    field = page.get_by_label(label, exact=True)
    before = field.input_value()
    field.fill(value)
    expect(page.get_by_role("alert")).to_contain_text(f"{label} must be a whole number from ")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect_query(page, F=5)  # what was there stays
    field.fill(before)
    expect(page.get_by_role("alert")).to_be_empty()
    expect(page.locator("[aria-invalid]")).to_have_count(0)


@pytest.mark.parametrize("file", ["worker.js", "ways.js"])
def test_what_is_missing_is_said_and_can_be_tried_again(figure, file):
    page = figure("cost-lab", "F=3&W=16")
    page.route(f"**/{file}", lambda route: route.abort())
    button(page, "Measure at F = 3").click()
    expect(page.get_by_role("alert")).to_contain_text("could not measure")
    page.unroute(f"**/{file}")
    figure.problems.clear()  # the browser's own line about the file that is not there
    measure(page, 3)
    expect(page.get_by_role("alert")).to_be_empty()
