"""The book as a file: the EPUB is sound XML with every chapter, figure and formula; the PDF has
every chapter and its outline.
"""

import re
import subprocess
import sys
import zipfile
from xml.etree import ElementTree

import nbformat
import pytest
from conftest import ROOT, build

from tools.book import tree as tool

XHTML = {"x": "http://www.w3.org/1999/xhtml"}


@pytest.fixture(scope="module")
def epub(tmp_path_factory):
    folder = tmp_path_factory.mktemp("epub")
    build("--builder", "custom", "--custom-builder", "epub", "--path-output", folder)
    with zipfile.ZipFile(folder / "_build" / "epub" / "from-kernels-to-convnets.epub") as file:
        return {name: file.read(name) for name in file.namelist()}


def test_every_chapter_is_in_the_epub_and_its_contents(epub):
    pages = [f"{name}.xhtml" for name in tool.table_of_contents()]
    assert set(pages) <= set(epub)
    links = re.findall(r'href="([^"#]+)"', epub["nav.xhtml"].decode())
    assert list(dict.fromkeys(links)) == pages


def test_the_epub_is_sound(epub):
    """Each page is XML, without scripts and unknown elements; each image, link and style is there;
    MathML is announced.

    epubcheck says more, but needs Java; it found nothing when this was written.
    """
    manifest = epub["content.opf"].decode()
    images = formulas = 0
    for name, content in epub.items():
        if not name.endswith(".xhtml"):
            continue
        page = ElementTree.fromstring(content)
        text = content.decode()
        assert not re.search(
            r"<script|-playground|size-lab|conv-steps>|draw-digit|JavaScript|katex-html|Hide code",
            text,
        ), name
        assert (
            'properties="mathml"' in re.search(rf'<item [^>]*href="{name}"[^>]*>', manifest)[0]
        ) == ("<math" in text), name
        formulas += text.count("<math")
        for tag in page.iter():
            target = tag.get("src") or tag.get("href") or ""
            if target and not re.match(r"https?:|mailto:|#", target):
                path = (
                    (ROOT / name)
                    .parent.joinpath(target.partition("#")[0])
                    .resolve()
                    .relative_to(ROOT)
                )
                assert str(path) in epub, f"{name}: {target}"
            images += tag.tag.endswith("}img")
    figures = sum(
        "image/png" in str(output.get("data", ""))
        for path in tool.chapters()
        for cell in nbformat.read(path, as_version=4).cells
        for output in cell.get("outputs", [])
    )
    assert images >= figures > 50 and formulas > 100


def test_the_book_prints(browser, tmp_path):
    """`make pdf`: one page of all chapters, all folds open, printed by Chromium with an outline."""
    build("--builder", "singlehtml", "--path-output", tmp_path)
    command = [sys.executable, "-m", "tools.book", "pdf", tmp_path / "_build" / "singlehtml" / "book" / "index.html", tmp_path / "book.pdf"]
    subprocess.run(command, check=True)
    tab = browser.new_page()
    tab.goto((tmp_path / "_build" / "singlehtml" / "print.html").as_uri())
    tab.emulate_media(media="print")
    folds, hidden = tab.evaluate("""() => { const folds = [...document.querySelectorAll("details")];
        folds.forEach((fold) => fold.open = true);
        const code = folds.flatMap((fold) => [...fold.querySelectorAll("pre")]);
        return [folds.length, code.filter((pre) => !pre.offsetHeight
            || getComputedStyle(pre.closest("details > *")).opacity !== "1").length]; }""")
    tab.close()
    assert folds > 100 and hidden == 0  # nothing fades in: it would be printed before it is there
    pdf = (tmp_path / "book.pdf").read_bytes()
    assert pdf.startswith(b"%PDF") and pdf.rstrip().endswith(b"%%EOF") and b"/Outlines" in pdf
    assert 150 < len(re.findall(rb"/Type\s*/Page\b", pdf)) < 600
