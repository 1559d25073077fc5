"""What extensions and theme make of a page, seen on the sample book, without a browser.

Each test fails without the step that it is named after.
"""

import json
import re

import pytest
from bs4 import BeautifulSoup
from conftest import ROOT, build
from sample_book import LONG, write_sample

THEME = ROOT / "book" / "_theme" / "kernels"


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return write_sample(tmp_path_factory.mktemp("sample"))


@pytest.fixture(scope="module")
def sample(source):
    """The folder of the sample's pages."""
    build(source=source)
    return source / "_build" / "html"


@pytest.fixture(scope="module")
def read(sample):
    """The function that returns a page of the sample, parsed."""
    return lambda page: BeautifulSoup((sample / page).read_text(encoding="utf-8"), "html.parser")


@pytest.fixture(scope="module")
def first(read):
    return read("notebooks/04_first.html")


# --- what a document is given when it has been read -----------------------------------------------


def test_a_chapter_shows_its_number(first, read):
    assert first.h1.select_one(".number").text == "04" and first.h1.text.startswith(
        "04 Chapter first"
    )
    assert first.title.text.startswith("Chapter first")
    numbers = [link.select_one(".number") for link in first.select("#chapters a")]
    assert [number and number.text for number in numbers] == ["04", "11", None]
    assert read("book/appendix.html").select_one("h1 .number") is None


def test_a_chapter_shows_its_minutes(first, read):
    minutes = first.select_one(".place [data-minutes]")
    assert minutes["data-minutes"] == "35" and "35" in minutes.text
    assert not read("book/appendix.html").select("[data-minutes]")


def test_a_printed_line_may_wrap_and_a_table_may_not(first):
    assert [line.text.strip() for line in first.select(".one-line")] == ["Not yet: a sentence."]
    assert "of numbers" in first.select_one("article").text


def test_a_fold_has_its_name_and_no_other(first):
    summary = first.select_one("details.fold > summary")
    assert summary.text == "A & B" and not summary.attrs
    assert not first.select_one("details.fold").has_attr("open")


def test_go_deeper_folds(first):
    [fold] = first.select("details.deeper")
    assert fold.parent.name == "section" and fold.parent["id"].startswith("go-deeper")
    assert fold.summary.h2.text.startswith("Go deeper") and not fold.has_attr("open")
    assert fold.select_one("#deeper-still") and "Afterwards" not in fold.text
    assert first.select_one("#contents a[href='#deeper-still']")


# --- how it is written ----------------------------------------------------------------------------


def test_images_say_their_size_and_wait(first):
    one, two = first.select("article img")
    assert (one["width"], one["height"], one["loading"]) == ("30", "20", "lazy")
    assert (two["width"], two["height"], two["loading"]) == ("8", "9", "lazy")


def test_plain_tokens_are_no_elements(first):
    code = first.select_one(".cell_input:not(details *) pre")
    assert code.text == "def double(number):\n    return [number, number * 2]\n"
    assert [token.text for token in code.select("span") if token.text] == [
        "def",
        "double",
        "return",
        "2",
    ]


def test_a_table_stands_in_a_box_that_scrolls(first):
    assert first.table.parent["class"] == ["wide"]


def test_an_empty_heading_of_a_table_is_a_cell(first):
    assert [cell.name for cell in first.thead.select("th, td")] == ["td", "th"]


def test_formulas_are_set_and_their_style_comes_only_with_them(first, read):
    assert first.select_one("article .katex-html")
    assert first.select("link[href$='katex.min.css']") and not read("book/appendix.html").select(
        "link[href*=katex]"
    )


# --- what its template is told --------------------------------------------------------------------


def test_the_place_in_the_book(first, read):
    assert first.select_one(".place .part").text == "A part"
    assert first.select_one(".turn [data-place]")["data-place"] == "1/2"
    assert [bar.get("class") for bar in first.select(".progress i")] == [["here"], None]
    assert [link.text.split()[-1] for link in first.select("#chapters [aria-current=page]")] == [
        "first"
    ]
    assert len(read("book/index.html").select(".progress .here")) == 1
    assert [link["href"] for link in first.select(".turn a")] == [
        "../book/index.html",
        "11_second.html",
    ]
    assert [heading.text for heading in first.select("#chapters h2")] == ["A part", "Appendices"]


def test_the_notebook_opens_in_colab_and_downloads(first, read, source):
    assert (
        first.select_one("#colab")["href"]
        == "https://colab.research.google.com/github/owner/book/blob/main/notebooks/04_first.ipynb"
    )
    file = first.select_one("#download")["href"]
    stored = source / "_build" / "html" / "notebooks" / file
    assert json.loads(stored.read_text())["cells"] and first.select_one("#download").has_attr(
        "download"
    )
    assert not read("book/appendix.html").select("#colab, #download")


def test_the_description_is_the_beginning(first, read):
    meta = {
        tag.get("name") or tag.get("property"): tag["content"]
        for tag in first.select("head meta[content]")
    }
    assert 120 < len(meta["description"]) <= 160 and meta["description"].endswith(" …")
    assert (
        LONG.startswith(meta["description"][:-2]) and meta["og:description"] == meta["description"]
    )
    assert meta["og:title"] == "Chapter first" and meta["og:type"] and meta["og:site_name"]
    assert (
        meta["og:url"]
        == "https://owner.github.io/book/notebooks/04_first.html"
        == first.select_one("link[rel=canonical]")["href"]
    )
    assert (
        meta["og:image"] == "https://owner.github.io/book/_static/card.png" and meta["twitter:card"]
    )
    assert (
        read("book/index.html").select_one("meta[name=description]")["content"]
        == "How the sample begins, & ends."
    )
    assert read("book/appendix.html").title.text.startswith("An appendix")


def test_a_figure_comes_with_its_script_styles_and_height(first, read):
    with_figure = read("book/appendix.html")
    tags = with_figure.head.select("script[type=module], link[rel=stylesheet]")
    files = [tag.get("src") or tag.get("href") for tag in tags]
    names = [file.removeprefix("../_static/").partition("?")[0] for file in files]
    figure = ["figures/shared/shared.css", "figures/size-lab/style.css", "figures/size-lab/view.js"]
    assert names == ["theme.css", *figure]
    assert "min-height" in with_figure.head.style.text
    assert not first.select("script[type=module], head style")


def test_the_404_page_starts_at_the_root(read):
    page = read("404.html")
    addresses = [
        tag[name] for name in ("href", "src", "action") for tag in page.find_all(attrs={name: True})
    ]
    inside = [address for address in addresses if not re.match(r"https?:|#", address)]
    assert len(inside) > 8 and all(address.startswith("/book/") for address in inside), inside
    assert page.html["data-content_root"] == "/book/"


# --- for servers and search engines ---------------------------------------------------------------


def test_robots_find_every_page(sample):
    listed = re.findall(
        r"<loc>https://owner.github.io/book/(.*?)</loc>", (sample / "sitemap.xml").read_text()
    )
    assert listed == [
        "book/appendix.html",
        "book/index.html",
        "notebooks/04_first.html",
        "notebooks/11_second.html",
    ]
    assert (
        "Allow: /\nSitemap: https://owner.github.io/book/sitemap.xml"
        in (sample / "robots.txt").read_text()
    )


def test_the_root_leads_to_the_first_page(read):
    root = read("index.html")
    assert root.select_one("meta[http-equiv=refresh]")["content"] == "0; url=book/index.html"
    assert root.a["href"] == "book/index.html"
    assert (
        root.select_one("link[rel=canonical]")["href"]
        == "https://owner.github.io/book/book/index.html"
    )


# --- the theme itself -----------------------------------------------------------------------------


@pytest.mark.parametrize("template", sorted(THEME.glob("*.html")), ids=lambda path: path.name)
def test_every_word_of_a_template_can_be_translated(template):
    """Outside of _() and trans there is no word but a name, as text or in a spoken attribute."""
    text = template.read_text(encoding="utf-8")
    text = re.sub(
        r"\{%-? *trans.*?endtrans.*?%\}|\{#.*?#\}|\{\{.*?\}\}|\{%.*?%\}|<script>.*?</script>",
        "",
        text,
        flags=re.S,
    )
    soup = BeautifulSoup(text, "html.parser")
    for name in soup.select("[translate=no]"):
        name.decompose()
    spoken = [
        tag[name]
        for name in ("aria-label", "title", "placeholder", "alt")
        for tag in soup.find_all(attrs={name: True})
    ]
    words = set(re.findall(r"[A-Za-z]+", " ".join([*soup.stripped_strings, *spoken])))
    assert words <= {"Colab", "html", "doctype"}


def test_a_changed_extension_or_style_reaches_every_page(sample, source):
    """Sphinx itself looks only for changed documents."""
    page, style = sample / "notebooks" / "04_first.html", sample / "_static" / "theme.css"
    before = page.stat().st_mtime_ns
    build(source=source)
    assert page.stat().st_mtime_ns == before
    for name in ("_ext/page.py", "figures.yml", "figures/shared/shared.css", "_theme/kernels/static/theme.css"):
        before = page.stat().st_mtime_ns
        with open(source / "book" / name, "a") as file:
            file.write("# changed" if name.endswith(("py", "yml")) else "/* changed */")
        build(source=source)
        assert page.stat().st_mtime_ns != before, name
    assert style.read_text().endswith("/* changed */")


def test_one_page_for_print_has_nothing_to_click(source):
    build("--builder", "singlehtml", source=source)
    page = BeautifulSoup(
        (source / "_build" / "singlehtml" / "book" / "index.html").read_text(encoding="utf-8"),
        "html.parser",
    )
    assert not page.select(".top, #chapters, dialog, button, script")
    assert [heading.select_one(".number").text for heading in page.select("h2:has(.number)")] == [
        "04",
        "11",
    ]
