"""Sphinx extension: make Sphinx's EPUB of this book one that e-readers take.

`make epub` writes it; epubcheck finds no error in it.

The figures to play with become a sentence of figures.yml (in the PDF too), no script goes in,
MathML is announced in the manifest, and the table of contents has every chapter although the first
page stands in a folder.
"""

import posixpath
import re

from bs4 import BeautifulSoup
from figures import FIGURES
from sphinx.locale import _

STYLES = ["epub.css", "pygments.css", "ebook.css"]
PAGE_ITEM = r'href="([^"]+\.xhtml)" media-type="application/xhtml\+xml"(?! properties)'


def clean_page(app, pagename, templatename, context, doctree):
    if app.builder.name not in ("epub", "singlehtml") or "body" not in context:
        return
    # What comes out is XML, whatever the HTML in the Markdown was.
    soup = BeautifulSoup(context["body"], "html.parser")
    for figure in soup.find_all(list(FIGURES)):
        sentence = soup.new_tag("p")
        sentence.string = _(FIGURES[figure.name]["print"])
        figure.replace_with(sentence)
    for tag in soup.select("script"):
        tag.decompose()
    if app.builder.name == "epub":
        suit_readers(soup)
        context["script_files"] = []
        context["css_files"] = [file for file in context["css_files"]
                                if file.filename.rpartition("/")[2] in STYLES]
    context["body"] = str(soup)


def suit_readers(soup):
    """Take out what an e-reader cannot show, and what its rules forbid."""
    # A fold says "Show ..." and "Hide ...": a book has only the first.
    for tag in soup.select("a.headerlink, details.hide > summary .expanded"):
        tag.decompose()
    for paragraph in soup.select("summary p"):
        paragraph.unwrap()
    for tag in soup.select("[tabindex]"):
        del tag["tabindex"]


def prepare(app):
    builder = app.builder
    if builder.name != "epub":
        return
    app.config.html_theme_options["launch_buttons"] = {}
    app.config.html_static_path = ["book/_static/ebook.css"]
    make_toc, make_content = builder.get_toc, builder.build_content

    def get_toc():
        make_toc()
        for node in builder.refnodes:
            node["refuri"] = posixpath.normpath(node["refuri"])

    def build_content():
        make_content()
        path = builder.outdir / "content.opf"

        def announce(item):
            has_formulas = "<math" in (builder.outdir / item[1]).read_text(encoding="utf-8")
            return item[0] + (' properties="mathml"' if has_formulas else "")

        text = re.sub(PAGE_ITEM, announce, path.read_text(encoding="utf-8"))
        path.write_text(text, encoding="utf-8")

    builder.get_toc, builder.build_content = get_toc, build_content


def setup(app):
    # After the extensions that add files for the web.
    app.connect("builder-inited", prepare, priority=999)
    app.connect("html-page-context", clean_page)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
