"""What every figure keeps to, whatever it shows: from figures.yml, so a new one is tested at once."""

import json
import re

import pytest
import tinycss2
from axe_playwright_python.sync_playwright import Axe
from browser import DESKTOP, PHONE
from conftest import ROOT
from figure_models import FIGURES, SENTENCES, figures
from figure_pages import head_of
from playwright.sync_api import expect

pytest_plugins = ["figure_pages"]

TAGS = list(figures.FIGURES)
VARIANTS = [*TAGS, *(f"{tag}[compact]" for tag in TAGS if "compact" in figures.FIGURES[tag])]
# Beside the start of each: the states that show most, or something else.
STATES = {
    "kernel-playground": ["source=draw&at=0,0&kernel=" + ",".join("1" * 25), "display=cut"],
    "size-lab": ["W=30&F=3&S=2&P=2&mode=P&step=9", "W=2&F=5&mode=VALID"],
    "conv-steps": ["output=18"],
    "draw-digit": ["digit=6"],
    "explain-digit": ["digit=8&why=8,3&erase=20&attack=15", "ink=ABCD.abc_"],
    "drag-digit": ["digit=7&move=5,-5&map=6", "digit=4"],
    "find-pattern": ["size=7&at=60,60&bias=-50&bend=on", "drawn=0,1,-1,0,1,-1,0,1,-1&brightness=ignored"],
    "train-here": ["rate=0.3&batch=8&start=small&bend=none&seed=4", "bend=sigmoid"],
    "draw-doodle": ["doodle=AAADDRCDD8AA.AAADBjAA.D_D_&look=conv2,5,3,4", "doodle=AAADDRCD"],
    "cost-lab": ["F=63&W=512&C=64&K=64&S=3&rank=any&method=fft&cost=bytes", "F=2&W=8"],
}
OPEN = "document.querySelectorAll('.living-figure details').forEach((fold) => { fold.open = true; })"
EVERY = [(name, "") for name in VARIANTS]
EVERY += [(tag, query) for tag, queries in STATES.items() for query in queries]


# ---- Folders, table and files ------------------------------------------------------------------

def test_every_folder_is_an_entry_and_every_entry_a_folder():
    folders = {path.name for path in FIGURES.iterdir() if path.is_dir()} - {"shared"}
    assert folders == set(TAGS) == set(STATES)
    for tag in TAGS:
        names = {path.name for path in (FIGURES / tag).iterdir()}
        assert {"model.js", "view.js", "style.css"} <= names, tag


def test_the_table_says_where_each_figure_stands():
    pages = [*(ROOT / "notebooks").glob("*.ipynb"), *(ROOT / "book").glob("*.md")]
    for tag, figure in figures.FIGURES.items():
        stands = {path.relative_to(ROOT).with_suffix("").as_posix() for path in pages
                  if re.search(rf"<{tag}[\s>]", path.read_text(encoding="utf-8"))}
        assert stands == set(figure["pages"]), tag


def test_what_a_page_needs():
    files = re.findall(r'"_static/figures/([^?"]+)\?v=', head_of("size-lab", "conv-steps"))
    assert files == ["shared/shared.css", "size-lab/style.css", "size-lab/view.js",
                     "conv-steps/style.css", "conv-steps/view.js"]
    assert figures.tags_in("<p>&lt;size-lab&gt; <draw-digit compact></p>") == ["draw-digit"]


@pytest.mark.parametrize("path", sorted(FIGURES.rglob("*.[jc]s*")), ids=lambda path: path.name)
def test_lines_are_short(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if len(line) > 100] == []


def selectors(rules):
    """Return the selectors of the outermost rules, those inside @media too."""
    for rule in rules:
        if rule.type == "qualified-rule":
            yield from (one.strip() for one in tinycss2.serialize(rule.prelude).split(","))
        elif rule.type == "at-rule" and rule.content is not None:
            yield from selectors(tinycss2.parse_blocks_contents(rule.content, True, True))


@pytest.mark.parametrize("tag", [*TAGS, "shared"])
def test_no_style_leaks(tag):
    """Each style is nested under its figure, and none is a name that the theme styles."""
    name, root = ("shared", ".living-figure") if tag == "shared" else ("style", tag)
    text = (FIGURES / tag / f"{name}.css").read_text(encoding="utf-8")
    found = list(selectors(tinycss2.parse_stylesheet(text, True, True)))
    assert found and all(re.match(rf"{re.escape(root)}(?![\w-])", one) for one in found), found
    theme = (ROOT / "book" / "_theme" / "kernels" / "static" / "theme.css").read_text()
    names = set(re.findall(r"\.([a-z][\w-]*)", text)) - {"living-figure"}
    assert names & set(re.findall(r"\.([a-z][\w-]*)", theme)) == set()


# ---- Words -------------------------------------------------------------------------------------

def test_every_sentence_reaches_the_catalogue():
    assert len(set(SENTENCES)) > 150
    assert "The network says {answer}, with {share}." in SENTENCES
    source = "".join(path.read_text(encoding="utf-8") for path in FIGURES.rglob("*.js"))
    calls = len(re.findall(r"(?<![\w.])_\(", re.sub(r"^\s*(//|/?\*).*", "", source, flags=re.M)))
    assert len(SENTENCES) == calls - 1  # the function itself


@pytest.mark.parametrize("tag", TAGS)
def test_another_language_reaches_all_that_is_read(visit, pages, tag):
    """Each sentence becomes ‹it›: no letters of a figure may stand outside."""
    words = {sentence: f"‹{sentence}›" for sentence in SENTENCES}
    element = f"<script type='application/json' data-words>{json.dumps(words)}</script>"
    for query in ["", *STATES[tag]]:
        address = f"{pages}/{tag}.html?{query}"

        def translate(route):
            answer = route.fetch()
            route.fulfill(response=answer, body=answer.text().replace("</article>", element))

        page = visit(f"{pages}/{tag}.html")
        page.route(address, translate)
        page.goto(address)
        page.locator("[data-ready]").wait_for(state="attached")
        text = page.evaluate("""(tag) => [...document.querySelectorAll(`${tag}, ${tag} *`)]
            .flatMap((e) => [e.getAttribute("aria-label") ?? "",
                ...[...e.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data)])""", tag)
        formulas = r"\b(outputs|zeros|max|SAME|VALID|No output)\b|[xw]\d+|V\[|seed"
        for piece in text:
            while "‹" in piece:
                piece, before = re.sub(r"‹[^‹›]*›", "", piece), piece
                assert piece != before
            rest = re.sub(formulas, "", piece)
            assert not re.search(r"[a-z]{2}", rest), piece


# ---- In the browser ----------------------------------------------------------------------------

@pytest.mark.parametrize("tag", TAGS)
def test_without_scripts_its_sentence_stands_there_and_goes_with_them(figure, tag):
    sentence = "The figure runs in the book's page."
    expect(figure(tag, java_script_enabled=False).locator(tag)).to_have_text(sentence)
    expect(figure(tag).locator(tag)).not_to_contain_text(sentence)


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("name", VARIANTS)
def test_its_place_is_as_high_as_it_is(figure, name, size):
    """Nothing below it jumps when its script has run."""
    page = figure(name, size=size)
    tag = page.locator(figures.tags_in(f"<{name.partition('[')[0]}>")[0])
    asks = tag.bounding_box()["height"]
    tag.evaluate("figure => { figure.replaceChildren(); delete figure.dataset.ready; }")
    kept = tag.bounding_box()["height"]
    assert asks - 16 <= kept <= asks + 24, f"{asks / 16:.1f}rem"


@pytest.mark.parametrize("tag", TAGS)
def test_a_prediction_comes_first_but_not_for_a_shared_address(figure, tag):
    if tag not in ("draw-digit", "draw-doodle"):  # they ask when there is something to read
        page = figure(tag)
        expect(page.locator(f"{tag}[data-asking] .figure-gate button").first).to_be_visible()
        page.locator("[data-skip]").press("Enter")
        expect(page.locator(".figure-verdict")).to_be_focused()
        expect(page.locator(f"{tag}[data-asking]")).to_have_count(0)
    for query in STATES[tag]:
        page = figure(tag, query)
        expect(page.locator(f"{tag}[data-asking], .figure-gate")).to_have_count(0)


@pytest.mark.parametrize("name, query", EVERY)
def test_nothing_is_wider_than_a_small_phone(figure, name, query):
    page = figure(name, query, dict(width=360, height=740))
    page.evaluate(OPEN)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    boxes = page.evaluate("""() => [...document.querySelectorAll(".living-figure :is(button, input)")]
        .filter((e) => e.checkVisibility()).map((e) => {
            const box = e.type === "radio" ? e.parentElement : e;
            const { left, right, width, height } = box.getBoundingClientRect();
            return [e.outerHTML, left, right, width, height];
        })""")
    assert len(boxes) >= 5
    for html, left, right, width, height in boxes:
        assert left >= 0 and right <= 360, html
        cell = "V[" in html or re.search(r'aria-label="row \d, column \d: ', html)
        small = 24 if cell or name.startswith("draw-digit") else 44
        assert min(width, height) >= small, html


@pytest.mark.parametrize("name, query", EVERY)
def test_axe_finds_nothing(figure, name, query):
    page = figure(name, query)
    page.evaluate(OPEN)
    for size, theme in [(DESKTOP, "light"), (PHONE, "dark")]:
        page.set_viewport_size(size)
        page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
        violations = Axe().run(page).response["violations"]
        found = [(v["id"], [(n["html"], n.get("failureSummary")) for n in v["nodes"]])
                 for v in violations]
        assert found == [], json.dumps(found, indent=1)


@pytest.mark.parametrize("name, query", EVERY)
def test_on_paper_no_button_and_no_question_mark(figure, name, query):
    page = figure(name, query)
    page.emulate_media(media="print")
    found = page.evaluate("""() => [...document.querySelectorAll(
        ".living-figure button, .living-figure[data-asking] .figure-secret")]
        .filter((e) => e.checkVisibility()).map((e) => [e.outerHTML, e.textContent])""")
    for html, text in found:  # what is left of them are numbers to read
        assert re.fullmatch(r"[-−]?\d*\.?\d+", text) and "aria-pressed" not in html, html
    assert len(found) > 5 if name in ("conv-steps", "find-pattern") and query else True


# What axe does not look at: borders, the signs of a drawing and its lines (whose place says the
# same as their colour).
CONTRASTS = """async () => {
    const { contrast } = await import("./_static/figures/shared/colour.js");
    const parse = (text) => text.match(/[\\d.]+/g).map(Number);
    const between = (one, other) => contrast(parse(one).slice(0, 3), parse(other).slice(0, 3));
    const style = (e, pseudo) => getComputedStyle(e, pseudo);
    const ground = (e) => {
        while (parse(style(e).backgroundColor)[3] === 0) e = e.parentElement;
        return style(e).backgroundColor;
    };
    const seen = (query) => [...document.querySelectorAll(query)].filter((e) => e.checkVisibility());
    const borders = seen(".living-figure :is(button, input[type=number], .key i, .legend div)")
        .filter((e) => parseFloat(style(e).borderTopWidth) > 0)
        .map((e) => ["border", e, style(e).borderTopColor, ground(e.parentElement)]);
    const strokes = seen("[data-shape=weight][fill=none]")
        .map((e) => ["stroke", e, style(e).stroke, ground(e.closest("div"))]);
    const texts = seen(".stage text")
        .map((e) => ["text", e, style(e).fill, style(e.previousElementSibling).fill]);
    const signs = seen("[data-asking] .figure-secret .figure-pad")
        .map((e) => ["sign", e, style(e, "::after").color, ground(e)]);
    return [...borders, ...strokes, ...texts, ...signs]
        .map(([kind, e, one, other]) => [kind, e.outerHTML, between(one, other)]);
}"""


@pytest.mark.parametrize("name, file", [
    ("draw-digit", "network.safetensors"), ("drag-digit", "networks.safetensors"),
    ("find-pattern", "photograph.bin"), ("explain-digit", "network.safetensors"),
    ("draw-doodle", "network.safetensors"),
])
def test_without_its_file_it_says_so(figure, name, file):
    page = figure(name, STATES[name][0] if name == "draw-doodle" else "")  # else it has no need yet
    page.route(f"**/{file}", lambda route: route.abort())
    page.reload()
    expect(page.get_by_role("alert")).to_contain_text("could not load")
    figure.problems.clear()  # the browser's own line about the file that is not there


@pytest.mark.parametrize("name, query", EVERY)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_lines_and_signs_are_seen(figure, name, query, theme):
    page = figure(name, query, reduced_motion="reduce")
    page.evaluate(OPEN)
    page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
    found = page.evaluate(CONTRASTS)
    assert len(found) >= (3 if name == "find-pattern" else 4)  # it has found some: a pattern that was picked has no buttons for cells
    for kind, html, contrast in found:
        assert contrast >= dict(border=3, stroke=2, text=4.5, sign=3)[kind], (html, contrast)
