"""Sphinx extension: the figures to play with.

Each is a folder of book/figures and an entry of figures.yml.

It copies the folder to _static/figures. A page whose text holds the element of a figure gets
`figures` in its template context: a list of {tag, script, styles, heights_css}, the paths under
_static/. In another language than English the page also gets the translated sentences.
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
VERSION = digest("figures")[:8]  # in the addresses: a browser keeps no file of another state
WEB = ("html", "dirhtml")


# ---- The list ----------------------------------------------------------------------------------

def tags_in(html):
    """Return the tags of the figures whose elements stand in a text of HTML."""
    return [tag for tag in FIGURES if re.search(rf"<{tag}[\s>]", html)]


def heights_css(tag):
    """Return the CSS that keeps a figure's place until its script has run."""
    figure = FIGURES[tag]
    places = {tag: figure["heights"]}
    if "compact" in figure:
        places[f"{tag}[compact]"] = figure["compact"]

    def rules(size):
        return " ".join(f"{selector}:not([data-ready]) {{ min-height: {heights[size]}; }}"
                        for selector, heights in places.items())

    return (
        "@media (scripting: enabled) { "
        f"{tag}:not([data-ready]) {{ display: block; box-sizing: border-box; margin: 1.5rem 0; }} "
        f"{rules('desktop')} @media (max-width: 40rem) {{ {rules('phone')} }} }}"
    )


def describe(tags):
    """Return what a page needs for these figures: a list of {tag, script, styles, heights_css}."""
    def address(name):
        return f"figures/{name}?v={VERSION}"

    figures = [{"tag": tag, "script": address(f"{tag}/view.js"),
                "styles": [address(f"{tag}/style.css")], "heights_css": heights_css(tag)}
               for tag in tags]
    for first in figures[:1]:
        first["styles"].insert(0, address("shared/shared.css"))
    return figures


# ---- Words -------------------------------------------------------------------------------------

def words_tag():
    """Return the element in which words.js finds {sentence: translation}."""
    sentences = [english for *_where, english in translation.sentences("figures/**.js")]
    pairs = {english: str(_(english)) for english in sentences}
    known = json.dumps({english: said for english, said in pairs.items() if said != english})
    known = known.replace("<", "\\u003c")  # no sentence ends the script
    return f'<script type="application/json" data-words>{known}</script>'


# ---- The build ---------------------------------------------------------------------------------

def add_figures(app, pagename, templatename, context, doctree):
    if app.builder.name not in WEB or "body" not in context:
        return
    tags = tags_in(context["body"])
    context["figures"] = describe(tags)
    if tags and app.config.language != "en":
        context["body"] += words_tag()


def finish(app, exception):
    if not exception and app.builder.name in WEB:
        target = Path(app.outdir) / "_static" / "figures"
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(FOLDER, target)


def setup(app):
    app.connect("html-page-context", add_figures)
    app.connect("build-finished", finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
