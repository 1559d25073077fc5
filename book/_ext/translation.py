"""Sphinx extension: all words of the book reach the translators, and come back translated.

Sphinx's gettext builder writes a catalogue a page. This adds sphinx.pot beside them: the words of
the theme's templates, of the figures, of the network's drawing, of the parts and of the folds
("# @title Solution"). Its translation, locale/LANGUAGE/LC_MESSAGES/sphinx.po, is where `_` of
sphinx.locale, the templates and the figures look. Code and the sentences of checkers stay English.

It also translates what Sphinx cannot in Markdown: HTML (predictions, figures) and numbered titles.
"""

import re
from pathlib import Path

import nbformat
import yaml
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import write_po
from docutils import nodes
from sphinx import locale
from sphinx.util.i18n import docname_to_domain

BOOK = Path(__file__).resolve().parents[1]
METHODS = {"_theme/**.html": "jinja2", "figures/**.js": "javascript", "_ext/network.py": "python"}


def sentences(*patterns):
    """Return (file, line, sentence) for each _("sentence") in the files of `book` that match."""
    methods = [(pattern, METHODS[pattern]) for pattern in patterns or METHODS]
    found = extract_from_dir(BOOK, methods, keywords={"_": None, "gettext": None},
                             directory_filter=lambda folder: True)  # "_theme" too
    return [(f"book/{file}", line, message) for file, line, message, *_ in found]


def titles():
    """Yield (file, line, text) of the titles of folds and parts, and of what figures are in print.
    """
    for path in sorted((BOOK.parent / "notebooks").glob("*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            if title := re.match(r"# @title (.+)", cell.source):
                yield f"notebooks/{path.name}", 1, title[1]
    toc = yaml.safe_load((BOOK.parent / "_toc.yml").read_text(encoding="utf-8"))
    yield from (("_toc.yml", 1, part["caption"]) for part in toc["parts"])
    figures = yaml.safe_load((BOOK / "figures.yml").read_text(encoding="utf-8"))
    yield from (("book/figures.yml", 1, figure["print"]) for figure in figures.values())


def ask_for_html(app):
    """Have the gettext builder list HTML. In a translated book Sphinx would take it for code."""
    if app.builder.name == "gettext":
        app.config.gettext_additional_targets = ["raw"]


def translate_rest(app, doctree):
    config = app.config
    if config.language == "en" or app.builder.name == "gettext":
        return
    folders = [Path(app.srcdir, folder) for folder in config.locale_dirs]
    domain = docname_to_domain(app.env.docname, config.gettext_compact)
    catalogue, _ = locale.init(folders, config.language, domain)
    for node in doctree.findall(lambda node: isinstance(node, (nodes.raw, nodes.title))):
        said = catalogue.gettext(node.rawsource or node.astext())
        if isinstance(node, nodes.raw) or node.astext() == node.rawsource:
            node.children = [nodes.Text(said)]


def write_catalogue(app, exception):
    if exception or app.builder.name != "gettext":
        return
    catalogue = Catalog(project=app.config.project, charset="utf-8", fuzzy=False)
    for file, line, sentence in [*sentences(), *titles()]:
        catalogue.add(sentence, locations=[(file, line)])
    with open(Path(app.outdir) / "sphinx.pot", "wb") as file:
        write_po(file, catalogue, sort_by_file=True)


def setup(app):
    app.connect("builder-inited", ask_for_html)
    app.connect("doctree-read", translate_rest, priority=400)  # before the titles are collected
    app.connect("build-finished", write_catalogue)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
