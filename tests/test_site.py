"""The built book: no warning, every internal link and anchor resolves, every figure has alt text, Colab opens the right file."""

import os
from urllib.parse import unquote, urldefrag, urlparse

import pytest
from bs4 import BeautifulSoup
from conftest import ROOT, build


@pytest.fixture(scope="module")
def pages(site):
    """The pages of the built book, parsed: {path: BeautifulSoup}."""
    return {path: BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser") for path in sorted(site.rglob("*.html"))}


def content_pages(pages):
    return {path: page for path, page in pages.items() if path.parent.name in ("book", "notebooks")}


def test_every_page_of_the_table_of_contents_is_built(site, pages):
    from tools.book import tree as tool

    built = {str(path.relative_to(site).with_suffix("")) for path in content_pages(pages)}
    assert set(tool.table_of_contents()) == built


def test_every_internal_link_and_anchor_resolves(site, pages):
    anchors = {path: {tag["id"] for tag in page.find_all(id=True)} | {tag["name"] for tag in page.find_all("a", attrs={"name": True})}
               for path, page in pages.items()}
    count = 0
    for path, page in pages.items():
        references = [(tag, attribute) for attribute in ("href", "src") for tag in page.find_all(attrs={attribute: True})]
        for tag, attribute in references:
            target, fragment = urldefrag(tag[attribute])
            parsed = urlparse(target)
            if parsed.scheme or parsed.netloc or tag[attribute] in ("#", ""):
                continue
            if parsed.path.startswith("/"):  # 404.html stands at any depth: its links start at the site's root, /book/
                file = site / unquote(parsed.path).removeprefix("/book/")
            else:
                file = (path.parent / unquote(parsed.path)).resolve() if parsed.path else path
            file = file / "index.html" if file.is_dir() else file
            assert file.exists(), f"{path.relative_to(site)} links to {tag[attribute]}, which is not there"
            if fragment and file.suffix == ".html":
                assert unquote(fragment) in anchors[file], f"{path.relative_to(site)} links to {tag[attribute]}: no such anchor"
            count += 1
    assert count > 100


def test_every_figure_has_alternative_text(pages):
    figures = 0
    for path, page in content_pages(pages).items():
        for image in page.select("article img"):
            assert len(image.get("alt", "")) >= 20 and "_build" not in image["alt"], f"{path.name}: {image.get('src')} has alt {image.get('alt')!r}"
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
        expected = [f"https://colab.research.google.com/github/owner/book/blob/main/notebooks/{path.stem}.ipynb"]
        assert links == (expected if path.parent.name == "notebooks" else []), path


def test_folded_cells_are_folded(pages):
    for path, page in content_pages(pages).items():
        if path.parent.name == "notebooks":
            folded = page.select("div.cell.tag_hide-cell details, div.cell.tag_hide-input details")
            assert folded and not any(details.has_attr("open") for details in folded), path
            solutions = [cell for cell in page.select("div.cell") if "# @title Solution" in cell.get_text()]
            assert len(solutions) >= 4 and all(cell.select("details") for cell in solutions), path


def test_a_fold_says_what_is_in_it(pages):
    for path, page in content_pages(pages).items():
        for fold in page.select("div.cell details"):
            title = fold.select_one("pre").get_text().splitlines()[0]
            assert title == f"# @title {fold.select_one('summary .collapsed').get_text()}", path


def test_a_new_style_reaches_every_page(site):
    """Sphinx writes only the pages that have changed, and a page is finished with the styles of its time: so all are written anew."""
    page, style = site / "book" / "notation.html", ROOT / "book" / "_static" / "book.css"
    before, text = page.stat().st_mtime_ns, page.read_text()
    build("--path-output", site.parents[1])
    assert page.stat().st_mtime_ns == before
    os.utime(style)
    build("--path-output", site.parents[1])
    assert page.stat().st_mtime_ns != before and page.read_text() == text
