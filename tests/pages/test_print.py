"""The book as a file: the EPUB is sound XML with every chapter, figure and formula; the PDF has
every chapter and its outline.
"""

import re
import shutil
import subprocess
import sys
import zipfile
from xml.etree import ElementTree

import nbformat
import pikepdf
import pytest
from conftest import ROOT, build

from tools.book.files import chapters as notebooks
from tools.book.files import table_of_contents
from tools.book.pdf import running_heads


@pytest.fixture(scope="module")
def epub(tmp_path_factory):
    folder = tmp_path_factory.mktemp("epub")
    build("--builder", "custom", "--custom-builder", "epub", "--path-output", folder)
    with zipfile.ZipFile(folder / "_build" / "epub" / "from-kernels-to-convnets.epub") as file:
        return {name: file.read(name) for name in file.namelist()}


def test_every_chapter_is_in_the_epub_and_its_contents(epub):
    pages = [f"{name}.xhtml" for name in table_of_contents()]
    assert set(pages) <= set(epub)
    links = re.findall(r'href="([^"#]+)"', epub["nav.xhtml"].decode())
    assert list(dict.fromkeys(links)) == pages


def test_the_epub_counts_the_claims_that_stand_in_its_chapters(epub):
    page = epub["book/claims.xhtml"].decode()
    assert page.count(" assertions") == 1 + len([name for name in table_of_contents() if "notebooks/" in name]) and "<pre" not in page


def test_the_epub_is_sound(epub):
    """Each page is XML, without scripts and unknown elements; each image, link and style is there;
    MathML and SVG are announced.

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
            r"<script|-playground|size-lab|conv-steps>|draw-digit|draw-doodle|drag-digit|explain-digit|train-here|cost-lab|find-pattern|[Ww]ith JavaScript|katex-html|Hide code",
            text,
        ), name
        item = re.search(rf'<item [^>]*href="{name}"[^>]*>', manifest)[0]
        announced = set(re.findall(r'properties="([^"]*)"', item)) - {"nav"}
        has = [name for name, tag in [("mathml", "<math"), ("svg", "<svg")] if tag in text]
        assert announced == ({" ".join(has)} if has else set()), name
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
        for path in notebooks()
        for cell in nbformat.read(path, as_version=4).cells
        for output in cell.get("outputs", [])
    )
    assert images >= figures > 50 and formulas > 100


@pytest.fixture(scope="module")
def one_page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("one-page")
    build("--builder", "singlehtml", "--path-output", folder)
    return folder / "_build" / "singlehtml" / "book" / "index.html"


@pytest.mark.usefixtures("browser")  # or the sentence that there is none
def test_the_book_prints(one_page, tmp_path):
    """`make pdf`: a book with an outline, and contents whose numbers are the pages they lead to."""
    command = [sys.executable, "-m", "tools.book", "pdf", one_page, tmp_path / "book.pdf"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    size = (tmp_path / "book.pdf").stat().st_size
    chapters = sum("notebooks/" in name for name in table_of_contents())
    assert 2e6 < size < 10e6 and f"{size / 1e6:.1f} MB" in said  # 9.8 MB with 23 chapters
    with pikepdf.open(tmp_path / "book.pdf") as pdf:
        assert 10 * chapters < len(pdf.pages) < 40 * chapters  # 866 with 23
        assert "/DeviceGray" in {str(thing.get("/ColorSpace")) for thing in pdf.objects
                                 if isinstance(thing, pikepdf.Stream)}
        numbers = {page.objgen: number for number, page in enumerate(pdf.pages, 1)}
        places = dict(pdf.Root.Dests)
        links = [link.Dest for link in pdf.pages[1].Annots if link.Subtype == "/Link"]
        leads_to = [numbers[(places[str(name)] if isinstance(name, pikepdf.Name) else name)[0].objgen]
                    for name in links]
        with pdf.open_outline() as outline:
            outlined = len(outline.root[0].children)  # chapters, and sections of the first page
    names = table_of_contents()[1:]
    assert leads_to == sorted(set(leads_to)) and len(leads_to) == len(names) < outlined
    printed = [int(number) for number in re.search(r"chapters on pages (.*)", said)[1].split(", ")]
    assert printed == leads_to


def test_a_running_head_says_the_chapters_title():
    style = running_heads(["04 Strides", 'A "word"'], "The book")
    assert '@page document-0 { @top-left { content: "04 Strides" }' in style
    assert '@page document-1 { @top-left { content: "A \\"word\\"" } @top-right { content: "The book" } }' in style


def test_paper_hides_nothing(browser, one_page):
    tab = browser.new_page()
    tab.goto(shutil.copy(one_page, one_page.parents[1] / "looked-at.html").as_uri())
    tab.emulate_media(media="print")
    folds, hidden = tab.evaluate("""() => { const folds = [...document.querySelectorAll("details")];
        folds.forEach((fold) => fold.open = true);
        const code = folds.flatMap((fold) => [...fold.querySelectorAll("pre")]);
        return [folds.length, code.filter((pre) => !pre.offsetHeight
            || getComputedStyle(pre.closest("details > *")).opacity !== "1").length]; }""")
    tab.close()
    assert folds > 100 and hidden == 0  # nothing fades in: it would be printed before it is there
