"""Sphinx extension: typeset formulas while the book is built, so that a page needs no script.

The KaTeX that sphinxcontrib-katex brings runs inside Python (mini-racer: V8), so that no node is
needed. The pages get HTML with MathML for screen readers; the EPUB gets MathML alone.
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


def formula(node):
    return node.astext(), isinstance(node, nodes.math_block)


def typeset_all(found):
    """Put the formulas of the nodes `found` into `typeset`; a mistake in one is a warning."""
    new = {formula(node): node for node in reversed(found) if formula(node) not in typeset}
    if not new:
        return
    # One engine for each document: one that is not closed keeps Python from ending.
    with MiniRacer() as engine:
        engine.eval(KATEX.read_text(encoding="utf-8"))
        for (latex, display), node in new.items():
            how = {**options, "displayMode": display}
            try:
                typeset[latex, display] = engine.call("katex.renderToString", latex, how)
            except JSEvalException as error:
                reason = str(error).splitlines()[0]
                logger.warning("KaTeX cannot typeset %r: %s", latex, reason, location=node)
                typeset[latex, display] = html.escape(latex)


def typeset_document(app, doctree, docname):
    if app.builder.format == "html":
        options["output"] = "mathml" if app.builder.name == "epub" else "htmlAndMathml"
        typeset_all([*doctree.findall(nodes.math), *doctree.findall(nodes.math_block)])


def write(writer, node):
    typeset_all([node])  # known already, but for another document's title
    tag, end = ("div", "\n") if isinstance(node, nodes.math_block) else ("span", "")
    start = writer.starttag(node, tag, end, CLASS="math")
    writer.body.append(f"{start}{typeset[formula(node)]}</{tag}>")
    raise nodes.SkipNode


def setup(app):
    app.add_html_math_renderer("katex", (write, None), (write, None))
    app.connect("doctree-resolved", typeset_document)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
