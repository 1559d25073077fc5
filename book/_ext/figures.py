"""Sphinx extension: the figures to play with.

Each is a folder of book/figures and an entry of figures.yml.

It copies the folders to _static/figures. A page whose text holds the element of a figure gets its
entry in `figures` of its template context, which the theme's figures.html turns into links and
scripts. In another language than English the page also gets the translated sentences.
"""

import json
import re
import shutil
from pathlib import Path

import translation
import yaml
from page import digest
from sphinx.locale import _

BOOK = Path(__file__).resolve().parents[1]
FOLDER = BOOK / "figures"
FIGURES = yaml.safe_load((BOOK / "figures.yml").read_text(encoding="utf-8"))
VERSION = digest("figures/**/*")[:8]  # in the addresses: a browser keeps no file of another state


def tags_in(html):
    """Return the tags of the figures whose elements stand in a text of HTML."""
    return [tag for tag in FIGURES if re.search(rf"<{tag}[\s>]", html)]


def words_tag():
    """Return the element in which words.js finds {sentence: translation}."""
    sentences = [english for *_where, english in translation.sentences("figures/**.js")]
    pairs = {english: str(_(english)) for english in sentences}
    known = json.dumps({english: said for english, said in pairs.items() if said != english})
    known = known.replace("<", "\\u003c")  # no sentence ends the script
    return f'<script type="application/json" data-words>{known}</script>'


def add_figures(app, pagename, templatename, context, doctree):
    if app.builder.name == "html" and (tags := tags_in(context.get("body", ""))):
        context.update(figures={tag: FIGURES[tag] for tag in tags}, figures_version=VERSION)
        if app.config.language != "en":
            context["body"] += words_tag()


def finish(app, exception):
    if not exception and app.builder.name == "html":
        target = Path(app.outdir) / "_static" / "figures"
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(FOLDER, target)


def setup(app):
    app.connect("html-page-context", add_figures)
    app.connect("build-finished", finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
