"""The built book: no warning, every internal link and anchor resolves, every figure has alt text,
Colab opens the right file, each page has a head of its own.
"""

import gzip
import re
import struct
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlparse

import pytest
import sphinxcontrib.katex
from bs4 import BeautifulSoup

from tools.book.files import table_of_contents

MOST_SCRIPT = 2_300  # bytes of page.js, gzipped


@pytest.fixture(scope="module")
def pages(site):
    """The pages of the built book, parsed: {path: BeautifulSoup}."""
    return {
        path: BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        for path in sorted(site.rglob("*.html"))
    }


def content_pages(pages):
    return {path: page for path, page in pages.items() if path.parent.name in ("book", "notebooks")}


def test_every_page_of_the_table_of_contents_is_built(site, pages):
    built = {str(path.relative_to(site).with_suffix("")) for path in content_pages(pages)}
    assert set(table_of_contents()) == built


def test_every_internal_link_and_anchor_resolves(site, pages):
    anchors = {
        path: {tag["id"] for tag in page.find_all(id=True)}
        | {tag["name"] for tag in page.find_all("a", attrs={"name": True})}
        for path, page in pages.items()
    }
    count = 0
    for path, page in pages.items():
        references = [
            (tag, attribute)
            for attribute in ("href", "src")
            for tag in page.find_all(attrs={attribute: True})
        ]
        for tag, attribute in references:
            target, fragment = urldefrag(tag[attribute])
            parsed = urlparse(target)
            if parsed.scheme or parsed.netloc or tag[attribute] in ("#", ""):
                continue
            if parsed.path.startswith(
                "/"
            ):  # 404.html stands at any depth: its links start at the site's root, /book/
                file = site / unquote(parsed.path).removeprefix("/book/")
            else:
                file = (path.parent / unquote(parsed.path)).resolve() if parsed.path else path
            file = file / "index.html" if file.is_dir() else file
            assert file.exists(), (
                f"{path.relative_to(site)} links to {tag[attribute]}, which is not there"
            )
            if fragment and file.suffix == ".html":
                assert unquote(fragment) in anchors[file], (
                    f"{path.relative_to(site)} links to {tag[attribute]}: no such anchor"
                )
            count += 1
    assert count > 100


def test_every_figure_has_alternative_text(pages):
    figures = 0
    for path, page in content_pages(pages).items():
        for image in page.select("article img"):
            assert len(image.get("alt", "")) >= 20 and "_build" not in image["alt"], (
                f"{path.name}: {image.get('src')} has alt {image.get('alt')!r}"
            )
            figures += 1
    assert figures >= 15


def test_a_page_has_one_title_and_its_outputs(pages):
    for path, page in content_pages(pages).items():
        assert len(page.select("article h1")) == 1, path
        if path.parent.name == "notebooks":
            assert len(page.select("div.cell_output")) >= 15, path


def test_the_colab_button_opens_the_notebook(pages):
    for path, page in content_pages(pages).items():
        links = [a["href"] for a in page.select("a[href*='colab.research.google.com/github']")]
        expected = [
            "https://colab.research.google.com/github/owner/book/blob/main/"
            f"notebooks/{path.stem}.ipynb"
        ]
        assert links == (expected if path.parent.name == "notebooks" else []), path


def test_folded_cells_are_folded_under_their_names(pages):
    for path, page in content_pages(pages).items():
        if path.parent.name == "notebooks":
            folds = page.select("div.cell details.fold")
            assert len(folds) >= 5 and not any(fold.has_attr("open") for fold in folds), path
            for fold in folds:
                title = fold.select_one("pre").get_text().splitlines()[0]
                assert title == f"# @title {fold.summary.get_text()}", path


def test_the_head_describes_the_page(pages, site):
    seen = set()
    for path, page in pages.items():
        if path.name == "index.html" and path.parent == site:
            continue
        content = {
            tag.get("name") or tag.get("property"): tag.get("content")
            for tag in page.select("head meta")
        }
        assert 20 <= len(content["description"]) <= 160 and page.title.string.strip()
        assert (
            content["og:title"]
            and content["og:description"]
            and content["viewport"]
            and page.html["lang"] == "en"
        )
        assert page.select_one("link[rel~=icon]") and not page.select(
            "meta[name=robots][content*=noindex]"
        )
        card = site / content["og:image"].removeprefix("https://owner.github.io/book/")
        assert struct.unpack(">II", card.read_bytes()[16:24]) == (1200, 630)
        address = f"https://owner.github.io/book/{path.relative_to(site)}"
        assert page.select_one("link[rel=canonical]")["href"] == address
        for words in (page.title.string, content["description"]):
            assert words not in seen, f"{path.name} says what another page says: {words}"
            seen.add(words)


def test_the_first_page_lists_every_chapter_with_its_minutes(pages, site):
    """The list is typed; the minutes stand in each notebook."""
    rows = {
        row.a["href"].rpartition("/")[2]: row.em.get_text()
        for row in pages[site / "book" / "index.html"].select("article details.part li")
    }
    minutes = {
        path.name: f"{page.select_one('[data-minutes]')['data-minutes']} min"
        for path, page in content_pages(pages).items()
        if path.parent.name == "notebooks"
    }
    assert rows == minutes


def test_a_figure_loads_only_where_it_stands(pages):
    """A script of its own goes with a figure, and on other pages there is only page.js."""
    for path, page in content_pages(pages).items():
        modules = {
            re.search(r"figures/([\w-]+)/view\.js", tag["src"])[1]
            for tag in page.select("script[type=module][src]")
        }
        assert modules == {tag.name for tag in page.select("article *") if "-" in tag.name}, path
        others = [
            tag["src"].rpartition("/")[2] for tag in page.select("script[src]:not([type=module])")
        ]
        assert others == ["page.js"], path


def test_page_js_is_small(site):
    assert len(gzip.compress((site / "_static" / "page.js").read_bytes())) <= MOST_SCRIPT


def test_katex_has_one_version(site):
    """Its style is in the repository, its script in sphinxcontrib-katex: they must be alike."""
    style = (site / "_static" / "katex" / "katex.min.css").read_text(encoding="utf-8")
    script = (
        Path(sphinxcontrib.katex.__file__).with_name("katex.min.js").read_text(encoding="utf-8")
    )
    [version] = re.findall(r'katex-version[^"]*"([\d.]+)"', style)
    assert f'version:"{version}"' in script
