"""The pages of the built book in a browser: accessible, light, self-contained, and working by mouse, keyboard and without scripts.

Needs the browser of tests/browser.py. The figures have tests of their own: tests/test_figures_*.py.
"""

import json
import re
import struct
from urllib.parse import urlsplit

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import serve
from bs4 import BeautifulSoup
from conftest import ROOT

from tools.book import tree as tool

PAGES = [f"{name}.html" for name in tool.table_of_contents()] + ["search.html", "404.html"]
CHAPTERS = [page for page in PAGES if page.startswith("notebooks/")]
LANDING, CHAPTER = PAGES[0], "notebooks/04_output_size.html"
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
MOST_BYTES = 250_000  # gzipped, without images
# All folds open; colours change at once.
SHOW_ALL = """document.querySelectorAll("details").forEach((details) => details.open = true);
    document.head.insertAdjacentHTML("beforeend", "<style>* { transition: none !important; animation: none !important }</style>");"""


@pytest.fixture(scope="module")
def address(site):
    """The URL of the built book, without a slash at its end; on the web it stands under /book too."""
    root = site.parent / "root"
    root.mkdir(exist_ok=True)
    if not (root / "book").exists():
        (root / "book").symlink_to(site)
    return serve(root) + "/book"


@pytest.fixture
def visit(browser, address):
    """The function visit(page, size=DESKTOP, **options of a browser context) that opens a page of the book.

    At the end no page has met an error or a missing file, and no request has left the site.
    """
    contexts, problems = [], []

    def open_page(page, size=DESKTOP, **options):
        contexts.append(browser.new_context(viewport=size, **options))
        tab = contexts[-1].new_page()
        tab.on("pageerror", lambda error: problems.append(str(error)))
        tab.on("console", lambda message: problems.append(message.text) if message.type in ("error", "warning") else None)
        tab.on("request", lambda request: None if urlsplit(request.url).scheme in ("data", "blob") or request.url.startswith(address)
               else problems.append(f"leaves the site: {request.url}"))
        tab.on("response", lambda response: problems.append(f"{response.status}: {response.url}") if response.status >= 400 else None)
        tab.goto(f"{address}/{page}", wait_until="load")
        return tab

    yield open_page
    for context in contexts:
        context.close()
    assert problems == []


# --- every page -------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("page", PAGES)
def test_axe_finds_no_violation(visit, page):
    for size in (DESKTOP, PHONE):
        tab = visit(page, size)
        tab.evaluate(SHOW_ALL)
        for theme in ("light", "dark"):
            tab.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
            found = Axe().run(tab).response
            assert len(found["passes"]) > 15, "axe has looked at too little"
            assert [(rule["id"], rule["nodes"][0]["html"]) for rule in found["violations"]] == [], f"{theme}, {size['width']} px"


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_light(browser, address, page):
    tab, answers = browser.new_page(viewport=DESKTOP), []
    tab.on("requestfinished", lambda answer: answers.append(answer))
    tab.goto(f"{address}/{page}", wait_until="networkidle")
    sizes = {answer.url: answer.sizes()["responseBodySize"] for answer in answers if answer.resource_type != "image"}
    tab.close()
    assert len(sizes) >= 3 and sum(sizes.values()) <= MOST_BYTES, sizes


@pytest.mark.parametrize("page", PAGES)
def test_a_page_fits_a_narrow_phone(visit, page):
    """At 360 px (and on a tablet) only boxes scroll sideways, never the page; nothing that is cut off is out of reach."""
    tab = visit(page, {"width": 768, "height": 1024})
    tab.evaluate(SHOW_ALL)
    assert tab.evaluate("document.documentElement.scrollWidth") <= 768
    tab.set_viewport_size({"width": 360, "height": 740})
    assert tab.evaluate("document.documentElement.scrollWidth") <= 360
    cut = tab.evaluate("""[...document.querySelectorAll("article *")].filter((element) => {
        const style = getComputedStyle(element);
        return style.overflowX === "hidden" && !element.closest(".katex-mathml, .visually-hidden, .sr-only")
            && element.scrollWidth > element.clientWidth + 4 &&  // an italic letter leans out of its box
            element.clientWidth > 1;
    }).map((element) => `${element.tagName} ${element.className}: ${element.scrollWidth} in ${element.clientWidth} px`)""")
    assert cut == []


@pytest.mark.parametrize("page", PAGES)
def test_the_head_describes_the_page(site, page):
    soup = BeautifulSoup((site / page).read_text(encoding="utf-8"), "html.parser")
    content = {tag.get("name") or tag.get("property"): tag.get("content") for tag in soup.select("head meta")}
    assert 20 <= len(content["description"]) <= 160 and soup.title.string.strip()
    assert content["og:title"] and content["og:description"] and content["viewport"] and soup.html["lang"] == "en"
    assert soup.select_one("link[rel~=icon]") and not soup.select("meta[name=robots][content*=noindex]")
    card = site / content["og:image"].removeprefix("https://owner.github.io/book/")
    assert struct.unpack(">II", card.read_bytes()[16:24]) == (1200, 630)
    if page not in ("search.html", "404.html"):
        assert soup.select_one("link[rel=canonical]")["href"] == f"https://owner.github.io/book/{page}"


def test_titles_and_descriptions_are_each_pages_own(site):
    pages = [BeautifulSoup((site / page).read_text(encoding="utf-8"), "html.parser") for page in PAGES]
    for words in ([page.title.string for page in pages], [page.select_one("meta[name=description]")["content"] for page in pages]):
        assert len(set(words)) == len(pages), sorted(words)


def test_the_sitemap_lists_every_page(site):
    listed = re.findall(r"<loc>https://owner.github.io/book/(.*?)</loc>", (site / "sitemap.xml").read_text())
    assert sorted(listed) == sorted(page for page in PAGES if page not in ("search.html", "404.html"))
    assert "Sitemap: https://owner.github.io/book/sitemap.xml" in (site / "robots.txt").read_text()


# --- finding one's way ------------------------------------------------------------------------------------------------

def test_previous_and_next_lead_through_the_whole_book(visit):
    tab, names = visit(LANDING), tool.table_of_contents()
    for selector, order in ((".right-next", names), (".left-prev", names[::-1])):
        for number, name in enumerate(order):
            assert urlsplit(tab.url).path == f"/book/{name}.html"
            link = tab.locator(f".prev-next-footer a{selector}")
            if number + 1 == len(order):
                assert link.count() == 0
            else:
                link.click()


def test_the_first_page_opens_from_the_root(visit):
    tab = visit("")
    tab.wait_for_url(f"**/{LANDING}")


def test_the_phone_menu_opens_leads_on_and_closes(visit):
    tab = visit(LANDING, PHONE, has_touch=True)
    menu = tab.get_by_role("button", name=re.compile("primary|menu|navigation", re.I)).first
    link = tab.locator("#pst-primary-sidebar-modal a, #pst-primary-sidebar a").filter(has_text="Strides, padding").first
    assert not link.is_visible()
    menu.tap()
    link.wait_for(state="visible")
    tab.keyboard.press("Escape")
    link.wait_for(state="hidden")
    menu.tap()
    link.tap()
    tab.wait_for_url(f"**/{CHAPTER}")


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_ctrl_k_finds_stride(visit, size):
    tab = visit(LANDING, size)
    tab.keyboard.press("Control+k")
    field = tab.locator("dialog[open] input[type=search]")
    field.wait_for(state="visible")
    tab.keyboard.type("stride")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/search.html?q=stride*")
    result = tab.locator("#search-results a").filter(has_text="Strides, padding and the output size").first
    result.wait_for()
    result.click()
    tab.wait_for_url(f"**/{CHAPTER}*")


def test_search_says_when_it_finds_nothing(visit):
    tab = visit("search.html?q=zzyzx")
    tab.get_by_text("did not match any documents").wait_for()


@pytest.mark.parametrize("page", [LANDING, CHAPTER, "notebooks/02_five_kernels.html"])
def test_keyboard_alone_reaches_everything(visit, page):
    """Tab stops at each link, button and field that a mouse reaches, and one sees where it stands; first comes the way to the text."""
    tab = visit(page)
    tab.evaluate("document.querySelectorAll('details').forEach((details) => details.open = true)")
    number_all = """document.querySelectorAll("a[href], button, input, select, summary, [tabindex='0']").forEach((element, number) =>
        element.dataset.number = number)"""
    tab.evaluate(number_all)
    reached, unseen = {}, []
    for press in range(1000):
        tab.keyboard.press("Tab")
        number, text, seen = tab.evaluate("""(() => {
            const element = document.activeElement, style = getComputedStyle(element);
            const seen = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0 || style.boxShadow !== "none";
            return [element.dataset.number, element.textContent.trim().slice(0, 40) || element.outerHTML, seen];
        })()""")
        if press == 0:
            assert "Skip to main content" in text
        if number in reached or number is None and press > 10:
            break
        reached[number] = text
        if not seen:
            unseen.append(text)
    missed = tab.evaluate("""(reached) => [...document.querySelectorAll("[data-number]")].filter((element) => element.tabIndex >= 0
        && element.checkVisibility({visibilityProperty: true}) && !element.closest("[inert]") && !element.matches(":disabled") && element.type !== "radio"
        && !reached.includes(element.dataset.number)).map((element) => element.outerHTML.slice(0, 150))""", list(reached))
    assert len(reached) > 50 and missed == []
    assert unseen == []


# --- using a page -----------------------------------------------------------------------------------------------------

def test_code_copies(visit):
    tab = visit(CHAPTER, permissions=["clipboard-read", "clipboard-write"])
    cells = [cell.source for cell in nbformat.read(ROOT / "notebooks" / "04_output_size.ipynb", as_version=4).cells if cell.cell_type == "code"]
    block = tab.locator("div.cell_input").filter(has_text="def output_size").first
    block.hover()
    block.locator("button.copybtn").click()
    copied = tab.evaluate("navigator.clipboard.readText()")
    assert copied.strip() in [cell.strip() for cell in cells] and "def output_size" in copied


def test_solutions_fold_by_mouse_and_keyboard(visit):
    tab = visit(CHAPTER)
    folded = tab.locator("details", has_text="# @title Solution").first
    code, summary = folded.locator(".highlight").first, folded.locator("summary")
    assert not code.is_visible()
    summary.click()
    assert code.is_visible()
    summary.focus()
    tab.keyboard.press("Enter")
    assert not code.is_visible()
    tab.keyboard.press("Space")
    assert code.is_visible()


def test_the_theme_changes_and_stays(visit):
    tab = visit(CHAPTER)
    tab.evaluate("localStorage.clear()")
    seen = set()
    for _ in range(3):
        tab.locator("button.theme-switch-button:visible").first.click()
        seen.add(tab.evaluate("document.documentElement.dataset.mode"))
    assert seen == {"light", "dark", "auto"}
    while tab.evaluate("document.documentElement.dataset.mode") != "dark":
        tab.locator("button.theme-switch-button:visible").first.click()
    tab.reload()
    assert tab.evaluate("document.documentElement.dataset.theme") == "dark"


@pytest.mark.parametrize("page", CHAPTERS)
def test_dark_mode_leaves_pixel_values_alone(visit, page):
    tab = visit(page, color_scheme="dark")
    assert tab.evaluate("document.documentElement.dataset.theme") == "dark"
    looks = tab.evaluate("""[...document.querySelectorAll("article img, article canvas")].map((image) => {
        const filters = [];
        for (let element = image; element; element = element.parentElement) {
            const style = getComputedStyle(element);
            filters.push(style.filter, style.mixBlendMode === "normal" ? "none" : style.mixBlendMode, style.opacity === "1" ? "none" : style.opacity);
        }
        return [...new Set(filters)].join();
    })""")
    assert len(looks) >= 2 and set(looks) == {"none"}


@pytest.mark.parametrize("page", [LANDING, "notebooks/02_five_kernels.html", CHAPTER, "notebooks/05_channels_and_cost.html", "notebooks/11_keras.html"])
def test_without_scripts_a_page_reads_well(visit, page):
    tab = visit(page, java_script_enabled=False)
    assert tab.locator("article h1").is_visible()
    assert tab.locator("article p").first.bounding_box()["height"] > 10
    assert tab.locator("#pst-primary-sidebar a, .bd-sidebar-primary a").filter(has_text="Pooling").first.is_visible()
    fallback = tab.locator("kernel-playground p, size-lab p, conv-steps p, draw-digit p").first
    assert fallback.is_visible() and len(fallback.text_content()) > 30
    if page == CHAPTER:
        assert tab.locator("article .katex-html").first.is_visible()  # the mathematics was set when the book was built
        folded = tab.locator("details", has_text="# @title Solution").first
        folded.locator("summary").click()
        assert folded.locator(".highlight").first.is_visible()


def test_without_scripts_a_phone_still_has_the_list_of_chapters(visit):
    tab = visit(CHAPTER, PHONE, java_script_enabled=False)
    link = tab.locator(".bd-sidebar-primary a").filter(has_text="Pooling").first
    assert link.bounding_box()["y"] > tab.locator("article h1").bounding_box()["y"] > 0  # after the text
    assert not tab.locator("button.primary-toggle, button.theme-switch-button").first.is_visible()
    link.click()
    tab.wait_for_url("**/06_pooling.html")


def test_a_figure_loads_only_where_it_stands(site):
    places = {}
    for page in PAGES:
        soup = BeautifulSoup((site / page).read_text(encoding="utf-8"), "html.parser")
        modules = {urlsplit(tag["src"]).path.rpartition("/")[2] for tag in soup.select("script[type=module][src]")}
        figures = {f"{name}.js" for name in ("kernel-playground", "size-lab", "conv-steps", "draw-digit") if soup.select(f"article {name}")}
        assert modules == figures, page
        for figure in figures:
            places.setdefault(figure, []).append(page)
    assert set(places) == {"kernel-playground.js", "size-lab.js", "conv-steps.js", "draw-digit.js"}
    assert LANDING in places["draw-digit.js"] and "notebooks/11_keras.html" in places["draw-digit.js"]


def test_the_404_page_works_at_any_depth(visit):
    tab = visit("404.html")
    assert tab.locator("article h1").inner_text().startswith("This page is not here")
    assert tab.evaluate("getComputedStyle(document.querySelector('.bd-header, .bd-main')).display") != "inline"
    tab.locator("article a", has_text="first page").click()
    tab.wait_for_url(f"**/book/{LANDING}")


def test_the_landing_page_invites(visit):
    """A living example above the fold, the course with its times, the ways to run it, how to cite."""
    tab = visit(LANDING)
    figure = tab.locator("draw-digit").bounding_box()
    assert figure["y"] < 0.75 * DESKTOP["height"]
    text = tab.locator("article").text_content()
    for name in tool.table_of_contents():
        if name.startswith("notebooks/"):
            assert tab.locator(f"article table a[href$='{name}.html']").count() == 1
    assert "Minutes" in text and "Colab" in text and "make lab" in text and "cite" in text.lower()


def test_print_shows_the_text_alone(visit):
    tab = visit(CHAPTER, color_scheme="dark")
    tab.emulate_media(media="print")
    assert not any(tab.locator(selector).first.is_visible() for selector in ("#pst-primary-sidebar", ".bd-header-article", ".prev-next-footer"))
    assert tab.locator("article h1").is_visible()
    tab.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert json.loads(tab.evaluate("JSON.stringify(getComputedStyle(document.body).backgroundColor)")) == "rgb(255, 255, 255)"
