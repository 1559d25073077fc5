"""Sphinx extension: what the theme (book/_theme/kernels) has to know of each page, and how it is
written.

Three things, in the order in which they happen: a document that has been read is prepared (number,
minutes, names of folds, sections that fold), it is written as HTML (sizes of images, boxes around
tables, plain code), and its template is told its place in the book and a description. At the end
come the files for search engines.
"""

import functools
import hashlib
import re
import textwrap
from html import escape
from pathlib import Path
from urllib.parse import urlsplit

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode
from pygments.formatters import HtmlFormatter
from pygments.token import Comment, Keyword, Literal, Name, Operator
from sphinx.highlighting import PygmentsBridge
from sphinx.locale import _
from sphinx.util.images import get_image_size
from sphinx.writers.html5 import HTML5Translator

COLOURED = (Comment, Keyword, Literal, Operator.Word,
            Name.Builtin, Name.Class, Name.Decorator, Name.Function)
LONGEST = 160  # characters of a description: what search engines show


# --- a document that has been read ----------------------------------------------------------------

def number_of(name):
    """Return "04" for the document notebooks/04_output_size, "" for one without a number."""
    match = re.match(r"(\d\d)_", name.rpartition("/")[2])
    return match[1] if match else ""


def html(text):
    return nodes.raw("", text, format="html")


def prepare(app, doctree):
    name_folds(doctree)
    fold_deeper(doctree)
    mark_sentences(doctree)
    name = app.env.docname
    if number_of(name):
        title = next(doctree.findall(nodes.title))
        title.insert(0, html(f'<span class="number">{number_of(name)}</span> '))
        app.env.metadata[name]["minutes"] = minutes_of(doctree)


def name_folds(doctree):
    """Call a folded cell what its first line, "# @title Solution", calls it, as Colab does."""
    for cell in doctree.findall(nodes.container):
        code = next(cell.findall(nodes.literal_block), None) if cell.get("hide_mode") else None
        title = re.match(r"# @title (.+)", code.astext()) if code else None
        if title:
            cell["prompt_show"] = _(title[1])


def fold_deeper(doctree):
    """Fold each section whose heading begins with "Go deeper".

    It is known by its id, which comes from the heading before a translation.
    """
    for section in doctree.findall(nodes.section):
        if any(name.startswith("go-deeper") for name in section["ids"]):
            section["folds"] = True
            section[:] = [html('<details class="deeper"><summary>'), section[0],
                          html("</summary>"), *section[1:], html("</details>")]


def mark_sentences(doctree):
    """Give a printed line, as a checker's sentence, a class: it wraps, and a table does not."""
    for block in doctree.findall(nodes.literal_block):
        if block.get("language") == "myst-ansi" and "\n" not in block.astext().strip():
            block["classes"].append("one-line")


def minutes_of(doctree):
    """Return the first number after a bold word above the first section: **Time** about 30 ..."""
    top = next(doctree.findall(nodes.section))
    for paragraph in [part for part in top if isinstance(part, nodes.paragraph)]:
        for bold in paragraph.findall(nodes.strong):
            text = bold.next_node(nodes.Text, descend=False, siblings=True)
            number = re.search(r"\d+", text or "")
            if number:
                return int(number[0])
    return None


# --- written as HTML ------------------------------------------------------------------------------

class PlainFormatter(HtmlFormatter):
    """Make elements only of the tokens that have a colour: the others are half of a page."""

    def _get_css_class(self, kind):
        return super()._get_css_class(kind) if any(kind in token for token in COLOURED) else ""


class PageWriter(HTML5Translator):
    """Sphinx's writer, and what this book's pages have beyond it."""

    def visit_image(self, node):
        size = get_image_size(Path(self.builder.srcdir, node["uri"]))
        super().visit_image(node)
        says = ' loading="lazy"'  # no chapter has one in its first screen
        if size:
            says += ' width="{}" height="{}"'.format(*size)
        self.body[-1] = self.body[-1].replace("<img", f"<img{says}", 1)

    def visit_table(self, node):
        self.body.append('<div class="wide">')
        super().visit_table(node)

    def depart_table(self, node):
        super().depart_table(node)
        self.body.append("</div>")

    def visit_entry(self, node):
        super().visit_entry(node)
        if not node.astext():  # the corner of a table with a heading in each row and column
            self.body[-1] = self.body[-1].replace("<th", "<td", 1)
            self.context[-1] = "</td>\n"

    def add_permalink_ref(self, node, title):
        if not node.get("folds"):  # its heading is a button already
            super().add_permalink_ref(node, title)


def visit_fold(self, node):
    self.body.append(f'<details class="fold"><summary>{escape(node["prompt_show"])}</summary>\n')


def depart_fold(self, node):
    self.body.append("</details>\n")


# --- told to the template -------------------------------------------------------------------------

@functools.cache
def parts_of(env):
    """Return the table of contents: [{title, pages: [{name, title, number, minutes}]}]."""
    return [{"title": _(part.caption), "pages": [
        {"name": name, "title": env.titles[name].astext(), "number": number_of(name),
         "minutes": env.metadata[name].get("minutes")}
        for name in map(str, part.items)]} for part in env.external_site_map.root.subtrees]


def tell_place(app, pagename, templatename, context, doctree):
    """Tell the template where in the book a page stands, and what it is about."""
    parts = parts_of(app.env)
    pages = [(part["title"], page) for part in parts for page in part["pages"]]
    part, chapter = next((pair for pair in pages if pair[1]["name"] == pagename), (None, None))
    context.update(parts=parts, part=part, chapter=chapter,
                   chapters=[page for _part, page in pages if page["number"]])
    first = next(doctree.findall(nodes.paragraph), None) if doctree else None
    context["description"] = first and textwrap.shorten(
        first.astext(), LONGEST, placeholder=" …", break_on_hyphens=False)


def start_at_the_root(app, pagename, templatename, context, doctree):
    """Make the addresses of 404.html absolute: the server shows it in place of any missing page."""
    if pagename == "404":
        root, pathto = urlsplit(app.config.html_baseurl).path or "/", context["pathto"]
        context["pathto"] = lambda *what: root + pathto(*what)
        context["content_root"] = root


# --- for servers and search engines ---------------------------------------------------------------

def add_pages(app):
    """Add 404.html, robots.txt, the way from / to the first page, and the sitemap of a book with an
    address.
    """
    if app.builder.name != "html":
        return
    context = {**app.builder.globalcontext,
               "addresses": map(app.builder.get_target_uri, sorted(app.env.found_docs))}
    for name in ["robots.txt"] + ["sitemap.xml"] * bool(app.config.html_baseurl):
        text = app.builder.templates.render(name, context)
        Path(app.outdir, name).write_text(text, encoding="utf-8")
    yield "index", {}, "root.html"
    yield "404", {}, "404.html"


def digest(*patterns):
    """Return a number for all that is written in the files of book/ that match a pattern."""
    book = Path(__file__).parents[1]
    paths = sorted(path for pattern in patterns for path in book.glob(pattern)
                   if path.is_file() and path.suffix != ".pyc")
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()


def setup(app):
    PygmentsBridge.html_formatter = PlainFormatter
    for builder in ("html", "singlehtml"):
        app.set_translator(builder, PageWriter)
    app.add_node(HideCodeCellNode, override=True, html=(visit_fold, depart_fold))
    # Sphinx looks only for changed documents. What else has changed counts as configuration: with
    # "env" every page is read anew, with "html" it is written anew.
    app.add_config_value("code_digest", digest("_ext/**/*"), "env")
    look = digest("_static/**/*", "_theme/**/*", "figures/**/*", "figures.yml")
    app.add_config_value("look_digest", look, "html")
    app.connect("doctree-read", prepare)
    app.connect("html-page-context", tell_place)
    app.connect("html-page-context", start_at_the_root)
    app.connect("html-collect-pages", add_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
