"""Sphinx extension: the drawing of the whole network at the top of every chapter, its piece lit.

A chapter holds one line, which stands as it is in Colab and on GitHub:

    <p class="network" data-lit="pooling">Where you are: image → ... <b>pooling</b> ... </p>

On the web, in print and in the e-book the line becomes the drawing, the theme's network.html.
`data-lit` names one or more pieces, or all of them by "all"; what is not lit is pale. Raises
ValueError for another name.
"""

import re
from pathlib import Path

from jinja2 import Template
from sphinx.locale import _

LINE = re.compile(r'(?s)<p class="network" data-lit="([^"]*)">.*?</p>')
DRAWING = Path(__file__).parents[1] / "_theme" / "kernels" / "network.html"


def drawing(lit):
    """Return the SVG with the pieces in `lit`, names apart by spaces, lit."""
    pieces = {"image": _("image"), "convolution": _("convolution"), "relu": _("ReLU"),
              "pooling": _("pooling"), "dense": _("dense"), "answer": _("10 numbers")}
    labels = {name: str(label) for name, label in [*pieces.items(), ("error", _("error"))]}
    names, known = lit.split(), [*labels, "all"]
    if not names or (wrong := set(names) - {*known}):
        raise ValueError(
            f'data-lit="{lit}": no piece {sorted(wrong) if names else "at all"} in {known}')
    shown = [name for name in labels if name in names or name in pieces and "all" in names]
    said = _("The network: {pieces}. This chapter: {lit}.").format(
        pieces=" → ".join(labels[name] for name in pieces),
        lit=", ".join(labels[name] for name in shown))
    template = Template(DRAWING.read_text(encoding="utf-8"))
    return template.render(labels=labels, lit=shown, said=said)


def draw_network(app, pagename, templatename, context, doctree):
    if "body" in context:
        context["body"] = LINE.sub(lambda line: drawing(line[1]), context["body"])


def setup(app):
    app.connect("html-page-context", draw_network, priority=400)  # before the e-book's cleaning
    return {"parallel_read_safe": True, "parallel_write_safe": True}
