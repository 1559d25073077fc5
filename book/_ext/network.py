"""Sphinx extension: the drawing of the whole network at the top of every chapter, its piece lit.

A chapter holds one line, which stands as it is in Colab and on GitHub:

    <p class="network" data-lit="pooling">Where you are: image → ... <b>pooling</b> ... </p>

On the web, in print and in the e-book the line becomes the drawing. `data-lit` names one or more
of PIECES, or all of them by "all"; what is not lit is pale. Raises ValueError for another name.
"""

import re
from html import escape

from sphinx.locale import _

LINE = re.compile(r'(?s)<p class="network" data-lit="([^"]*)">.*?</p>')
STEP = 66  # units from the middle of one piece to the next
MIDDLE = 34


def stack(x, side, inside=""):
    """Three square maps, one behind the other, around x."""
    squares = (f'<path d="M{x - side / 2 + shift:g} {MIDDLE - side / 2 - shift:g}h{side}v{side}'
               f'h-{side}z"/>' for shift in (6, 3, 0))
    return "".join(squares) + inside


def column(x, count):
    """The places of `count` neurons, one below the other, at x."""
    return [(x, MIDDLE + 44 * (n - (count - 1) / 2) / count) for n in range(count)]


def dense(x):
    left, right = column(x - 16, 5), column(x + 16, 3)
    wires = "".join(f"M{a} {b:.4g}L{c} {d:.4g}" for a, b in left for c, d in right)
    dots = "".join(f"M{a} {b:.4g}h0" for a, b in left + right)
    return f'<path stroke-width=".6" d="{wires}"/><path class="dots" d="{dots}"/>'


def image(x):
    return (f'<path d="M{x - 22} {MIDDLE - 22}h44v44h-44z"/>'
            f'<path class="ink" d="M{x - 9} {MIDDLE - 12}h19l-12 25"/>')


def answer(x):
    heights = [3, 2, 5, 3, 2, 4, 2, 30, 3, 6]  # the 7 is the tallest
    bars = "".join(f"M{x - 20.25 + 4.5 * n} {MIDDLE + 20}v-{h}" for n, h in enumerate(heights))
    return f'<path class="bars" d="{bars}"/>'


def pieces():
    """Return {name: (label, its drawing at x)} in the order of the network."""
    def window(x):
        return f'<path class="mark" d="M{x - 14} {MIDDLE - 11}h13v13h-13z"/>'

    def bend(x):
        return (f'<path stroke-width=".8" d="M{x - 20} {MIDDLE + 8}h40M{x} {MIDDLE + 18}v-38"/>'
                f'<path class="ink" d="M{x - 20} {MIDDLE + 8}h20l17 -25"/>')

    def quarters(x):
        return f'<path stroke-width=".8" d="M{x} {MIDDLE - 11}v22M{x - 11} {MIDDLE}h22"/>'

    return {
        "image": (_("image"), image), "convolution": (_("convolution"),
                                                      lambda x: stack(x - 3, 36, window(x))),
        "relu": (_("ReLU"), bend), "pooling": (_("pooling"), lambda x: stack(x, 22, quarters(x))),
        "dense": (_("dense"), dense), "answer": (_("10 numbers"), answer),
    }


def drawing(lit):
    """Return the SVG with the pieces in `lit`, names apart by spaces, lit."""
    parts, names = pieces(), lit.split()
    if not names or (wrong := set(names) - {*parts, "error", "all"}):
        raise ValueError(f'data-lit="{lit}": no piece {sorted(wrong) if names else "at all"} in '
                         f'{[*parts, "error", "all"]}')
    shown = [name for name in parts if name in names or "all" in names]
    labels = {name: str(label) for name, (label, _draw) in parts.items()}
    lit_labels = [labels[name] for name in shown] + [str(_("error"))] * ("error" in names)
    said = _("The network: {pieces}. This chapter: {lit}.").format(
        pieces=" → ".join(labels.values()), lit=", ".join(lit_labels))
    size = f"{6 * STEP + 4} {98 if 'error' in names else 80}"
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" class="network" viewBox="0 0 {size}" '
           f'role="img" aria-label="{escape(said)}">']
    for n, (name, (_label, draw)) in enumerate(parts.items()):
        x = STEP // 2 + n * STEP
        state = ' class="lit"' if name in shown else ""
        out.append(f'<g{state}>{draw(x)}<text x="{x}" y="74">{escape(labels[name])}</text></g>')
        if n:
            out.append(f'<path d="M{x - STEP // 2 - 3} {MIDDLE - 3}l3 3l-3 3"/>')
    if "error" in names:
        first, last, gap = STEP * 3 // 2, STEP * 11 // 2, 24
        middle = (first + last) // 2
        out.append(f'<g class="lit"><path class="back" d="M{last} 81v10H{middle + gap}"/>'
                   f'<path class="back" d="M{middle - gap} 91H{first}v-8"/>'
                   f'<path d="M{first - 3} 84l3 -4l3 4"/>'
                   f'<text x="{middle}" y="95">{escape(str(_("error")))}</text></g>')
    return "".join([*out, "</svg>"])


def draw_network(app, pagename, templatename, context, doctree):
    if "body" in context:
        context["body"] = LINE.sub(lambda line: drawing(line[1]), context["body"])


def setup(app):
    app.connect("html-page-context", draw_network, priority=400)  # before the e-book's cleaning
    return {"parallel_read_safe": True, "parallel_write_safe": True}
