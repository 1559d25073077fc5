"""Sphinx extension: typeset formulas while the book is built, so that a page needs no script.

sphinxcontrib-katex can do that with node, through a server of its own; here its KaTeX runs inside
Python (mini-racer: V8) instead, so that no node is needed. The pages get HTML with MathML for
screen readers; the EPUB gets MathML alone.
"""

import html
from pathlib import Path

import sphinxcontrib.katex
from docutils import nodes
from py_mini_racer import JSEvalException, MiniRacer
from sphinx.util import logging

KATEX = Path(sphinxcontrib.katex.__file__).with_name("katex.min.js")
logger = logging.getLogger(__name__)
options = {"throwOnError": True, "strict": False}
typeset = {}  # (LaTeX, displayed?) -> HTML


def typeset_all(formulas):
    """Put the (LaTeX, displayed?, place in the source) of `formulas` into `typeset`.

    A mistake in one is a warning.
    """
    formulas = [formula for formula in formulas if formula[:2] not in typeset]
    if not formulas:
        return
    # One engine for each document: one that is not closed keeps Python from ending.
    with MiniRacer() as engine:
        engine.eval(KATEX.read_text(encoding="utf-8"))
        for latex, display, place in formulas:
            how = {**options, "displayMode": display}
            try:
                typeset[latex, display] = engine.call("katex.renderToString", latex, how)
            except JSEvalException as error:
                reason = str(error).splitlines()[0]
                logger.warning("KaTeX cannot typeset %r: %s", latex, reason, location=place)
                typeset[latex, display] = html.escape(latex)


def typeset_document(app, doctree, docname):
    if app.builder.format == "html":
        options["output"] = "mathml" if app.builder.name == "epub" else "htmlAndMathml"
        kinds = ((nodes.math, False), (nodes.math_block, True))
        typeset_all([(node.astext(), display, node)
                     for kind, display in kinds for node in doctree.findall(kind)])


def render_latex(latex, katex_options=None):
    """Return the HTML of a formula; sphinxcontrib-katex calls this while it writes a page."""
    display = bool(katex_options and katex_options.get("displayMode"))
    typeset_all([(latex, display, None)])  # known already, but for another document's title
    return typeset[latex, display]


def setup(app):
    sphinxcontrib.katex.render_latex = render_latex
    app.connect("doctree-resolved", typeset_document)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
