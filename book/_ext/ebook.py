"""Sphinx extension: make Sphinx's EPUB of this book one that e-readers take.

`make epub` writes it; epubcheck finds no error in it.

The figures to play with become a sentence of figures.yml (in the PDF too), a link to a file to
download becomes text, no script goes in, MathML and SVG are announced in the manifest, and the
table of contents has every chapter although the first page stands in a folder.
"""

import posixpath
import re

from bs4 import BeautifulSoup
from figures import FIGURES
from sphinx.builders.epub3 import Epub3Builder
from sphinx.locale import _

STYLES = {"epub.css", "pygments.css", "ebook.css"}
PAGE_ITEM = r'href="([^"]+\.xhtml)" media-type="application/xhtml\+xml"(?! properties)'


class Ebook(Epub3Builder):
    def copy_html_static_files(self, context):
        self.config.html_static_path = ["book/_static/ebook.css"]  # the other files are the web's
        super().copy_html_static_files(context)

    def get_toc(self):
        super().get_toc()
        for node in self.refnodes:
            node["refuri"] = posixpath.normpath(node["refuri"])

    def build_content(self):
        def announce(item):
            page = (self.outdir / item[1]).read_text(encoding="utf-8")
            has = [name for name, tag in [("mathml", "<math"), ("svg", "<svg")] if tag in page]
            return item[0] + f' properties="{" ".join(has)}"' * bool(has)

        super().build_content()
        path = self.outdir / "content.opf"
        text = re.sub(PAGE_ITEM, announce, path.read_text(encoding="utf-8"))
        path.write_text(text, encoding="utf-8")


def clean_page(app, pagename, templatename, context, doctree):
    if app.builder.name not in ("epub", "singlehtml") or "body" not in context:
        return
    # What comes out is XML, whatever the HTML in the Markdown was.
    soup = BeautifulSoup(context["body"], "html.parser")
    for figure in soup.find_all(list(FIGURES)):
        sentence = soup.new_tag("p")
        sentence.string = _(FIGURES[figure.name]["print"])
        figure.replace_with(sentence)
    for link in soup.select("a[download]"):
        link.unwrap()
    context["body"] = str(soup)
    if app.builder.name == "epub":
        context["css_files"] = [file for file in context["css_files"]
                                if file.filename.rpartition("/")[2] in STYLES]


def setup(app):
    app.add_builder(Ebook, override=True)
    app.connect("html-page-context", clean_page)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
