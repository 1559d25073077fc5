"""Print the book, built as one page, into a PDF with running heads and an outline.

The page is the singlehtml builder's; its title page, contents and look are the theme's. It is
printed twice: on which page a chapter begins, its contents know only then.
"""

import io
import json
import shutil
import sys
from pathlib import Path

import pikepdf
from playwright.sync_api import sync_playwright

from tools.book.browser import FLAGS, MISSING, find_chromium

# Each document of the book gets pages of its own name, whose head says its title.
NAME_PAGES = """() => [...document.querySelectorAll("[id^='document-']")].map((mark, number) => {
    const chapter = mark.nextElementSibling;
    chapter.style.page = `document-${number}`;
    chapter.prepend(mark); // else a link to it leads to the page before
    const title = chapter.querySelector("h1, h2").cloneNode(true);
    title.querySelectorAll(".headerlink").forEach((link) => link.remove());
    return title.textContent.trim();
})"""
HEADINGS = """[...document.querySelectorAll("h1, h2, h3, h4, h5, h6")]
    .filter((heading) => heading.checkVisibility())"""
# Each line of the contents gets the page of the first heading after the place that it leads to.
FILL_IN = f"""(pages) => {{
    const headings = {HEADINGS};
    for (const link of document.querySelectorAll("nav.contents a")) {{
        const target = document.getElementById(link.hash.slice(1));
        link.dataset.page = pages[headings.findIndex((heading) =>
            target.compareDocumentPosition(heading) & Node.DOCUMENT_POSITION_FOLLOWING)];
    }}
    return [...document.querySelectorAll("nav.contents a")].map((link) => link.dataset.page);
}}"""


def running_heads(titles, book):
    """Return the style of the named pages: the title of each document at the head of its pages."""
    return "".join(f"@page document-{number} {{ @top-left {{ content: {json.dumps(title)} }} "
                   f"@top-right {{ content: {json.dumps(book)} }} }}"
                   for number, title in enumerate(titles))


def pages_of_headings(pdf):
    """Return the page numbers, from 1, of the headings of a printed page, in order."""
    numbers = {page.objgen: number for number, page in enumerate(pdf.pages, 1)}

    def walk(items):
        for item in items:
            yield numbers[item.destination[0].objgen]
            yield from walk(item.children)

    with pdf.open_outline() as outline:
        return list(walk(outline.root))


def make_grey(pdf):
    """Store pictures without colours as grey: one number a pixel, not the browser's three."""
    for thing in pdf.objects:
        if isinstance(thing, pikepdf.Stream) and thing.get("/Subtype") == "/Image":
            picture = pikepdf.PdfImage(thing).as_pil_image()
            grey = picture.convert("L")
            if picture.mode == "RGB" and picture.tobytes() == grey.convert("RGB").tobytes():
                thing.write(grey.tobytes())
                thing.ColorSpace = pikepdf.Name.DeviceGray


def print_pdf(page, out):
    """Print the page at the path `page`, all its folds open, to `out`.

    Sphinx writes a book of one page into the folder of its first page, but with addresses that
    hold one folder up.
    """
    page = Path(shutil.copy(page, Path(page).resolve().parents[1] / "print.html"))
    with sync_playwright() as playwright:
        path = find_chromium() or sys.exit(MISSING)
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        tab = browser.new_page()
        tab.set_default_timeout(300_000)
        tab.goto(page.as_uri(), wait_until="load")
        tab.evaluate("document.querySelectorAll('details').forEach(details => details.open = true)")
        tab.emulate_media(media="print")
        tab.add_style_tag(content=running_heads(tab.evaluate(NAME_PAGES), tab.title()))

        def print_once():
            return pikepdf.open(io.BytesIO(tab.pdf(
                outline=True, tagged=True, print_background=True, prefer_css_page_size=True)))

        pages = pages_of_headings(print_once())
        count = tab.evaluate(f"{HEADINGS}.length")
        if len(pages) != count:
            raise RuntimeError(f"{len(pages)} headings in the outline, {count} in the page")
        numbers = tab.evaluate(FILL_IN, pages)
        pdf = print_once()
        browser.close()
    if pages_of_headings(pdf) != pages:
        raise RuntimeError("the page numbers in the contents have moved the pages")
    # A third of the size.
    make_grey(pdf)
    pikepdf.settings.set_flate_compression_level(9)
    pdf.save(out, object_stream_mode=pikepdf.ObjectStreamMode.generate, recompress_flate=True)
    size = Path(out).stat().st_size / 1e6
    print(f"The book is printed: {Path(out).resolve()} ({len(pdf.pages)} pages, {size:.1f} MB)")
    print(f"It has its chapters on pages {', '.join(numbers)}")
