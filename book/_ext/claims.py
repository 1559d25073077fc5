"""Sphinx extension: the directive `claims`, which lists what each chapter asserts, and of what.

Beside its assertions a cell gets the sentence that they prove: its own title, "# @title Proof: ..",
or the first sentence of the text after it, where a page states the result, or the last before it.
In print only the numbers stay, as every line stands in its chapter.
"""

import ast
import re

import nbformat
from docutils.statemachine import StringList
from mdit_py_plugins.anchors.index import slugify
from page import number_of
from sphinx.util.docutils import SphinxDirective

TITLE = re.compile(r"# @title (?:Proof: |Check: )?(.+)")
NO_PROSE = re.compile(r"(?sm)<(\w+).*?</\1>|^#.*?$|^[-|>].*?$|\$\$.*?\$\$")
ENDS = re.compile(r"(?<=[.!?:])\s*\n\s*\n|(?<=[.!?])\s+")


def assertions(source):
    """Return the pieces of a cell's code that assert something, in order."""
    found = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Assert) or (
        isinstance(node, ast.Call) and getattr(node.func, "attr", "").startswith("assert_"))]
    return [ast.get_source_segment(source, node) for node in sorted(found, key=lambda n: n.lineno)]


def sentences(text):
    """Return the sentences of a Markdown text that are no questions."""
    found = [" ".join(part.split()) for part in ENDS.split(NO_PROSE.sub("", text))]
    return [sentence for sentence in found if sentence and not sentence.endswith("?")] or [""]


def claims(path):
    """Return (title, {heading: [(sentence, assertions)]}) of the notebook at `path`."""
    cells, found, heading, before = nbformat.read(path, as_version=4).cells, {}, "", ""
    for index, cell in enumerate(cells):
        if cell.cell_type == "markdown":
            before = cell.source
            heading = ([heading] + re.findall(r"(?m)^#{1,3} (.+)$", before))[-1]
        elif asserted := assertions(cell.source):
            after = next((c.source for c in cells[index:] if c.cell_type == "markdown"), "#")
            after = "" if after[0] in "#<" else sentences(after)[0]
            title = TITLE.match(cell.source)
            said = title[1] if title else after or sentences(before)[-1] or heading
            said = "The checker accepts the solution." if said == "Solution" else said
            found.setdefault(heading, []).append((said, asserted))
    return cells[0].source.splitlines()[0].removeprefix("# "), found


def fold(name, head, found):
    """Return the Markdown lines of a fold with the claims of the chapter `name`."""
    rows = [f'<details class="fold"><summary>{head}</summary>', ""]
    for heading, cells in found.items():
        rows += [f"**[{heading}](../{name}.ipynb#{slugify(heading)})**", ""]
        for sentence, asserted in cells:
            sentence = re.sub(r"\]\((?=\d\d_)", "](../notebooks/", sentence)
            rows += [sentence.replace("](../book/", "]("), "",
                     "```python", *"\n".join(asserted).splitlines(), "```", ""]
    return [*rows, "</details>", ""]


class Claims(SphinxDirective):
    def run(self):
        rows, total, names = [], 0, [n for n in sorted(self.env.found_docs) if number_of(n)]
        for name in names:
            self.env.note_dependency(self.env.doc2path(name))
            title, found = claims(self.env.doc2path(name))
            count = sum(len(asserted) for cells in found.values() for _, asserted in cells)
            head = f"{number_of(name)} {title}: {count} assertions"
            rows += fold(name, head, found) if self.env.app.builder.name == "html" else [head, ""]
            total += count
        rows = [f"**{total} assertions in {len(names)} chapters.**", "", *rows]
        return self.parse_text_to_nodes(StringList(rows, source="claims"))


def setup(app):
    app.add_directive("claims", Claims)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
