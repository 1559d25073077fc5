"""Sphinx extension: the directive `claims`, which lists what each chapter asserts, and of what.

Beside its assertions a cell gets the sentence that they prove: its own title, "# @title Proof: ...",
or the first sentence of the text after it, where a page states the result, or else the last before
it. In print only the numbers stay, as every line stands in its chapter.
"""

import ast
import re

import nbformat
from docutils.statemachine import StringList
from mdit_py_plugins.anchors.index import slugify
from page import number_of
from sphinx.util.docutils import SphinxDirective

TITLE = re.compile(r"# @title (?:\w+: )?(.+)")
NO_PROSE = re.compile(r"(?sm)<(\w+).*?</\1>|^#.*?$|^[-|>].*?$|\$\$.*?\$\$")


def assertions(source):
    """Return the pieces of a cell's code that assert something, in order."""
    found = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Assert) or (
        isinstance(node, ast.Call) and getattr(node.func, "attr", "").startswith("assert_"))]
    return [ast.get_source_segment(source, node) for node in sorted(found, key=lambda n: n.lineno)]


def sentences(cells):
    """Return the sentences of the Markdown among `cells`, without questions."""
    text = NO_PROSE.sub("", "\n\n".join(c.source for c in cells if c.cell_type == "markdown"))
    found = [" ".join(part.split()) for part in re.split(r"(?<=[.!?:])\s*\n\s*\n|(?<=[.!?])\s+", text)]
    return [sentence for sentence in found if sentence and not sentence.endswith("?")] or [""]


def claims(path):
    """Return (title, {heading: [(sentence, assertions)]}) of the notebook at `path`."""
    cells, found, heading = nbformat.read(path, as_version=4).cells, {}, ""
    for index, cell in enumerate(cells):
        if cell.cell_type == "markdown":
            heading = ([heading] + re.findall(r"(?m)^#{1,3} (.+)$", cell.source))[-1]
        elif asserted := assertions(cell.source):
            after = next((c for c in cells[index:] if c.cell_type == "markdown"), cells[-1])
            goes_on = not after.source.startswith("#") and "<details>" not in after.source[:20]
            before = [c for c in cells[:index] if c.cell_type == "markdown"][-1:]
            title = TITLE.match(cell.source)
            sentence = (title[1] if title else sentences([after])[0] if goes_on
                        else sentences(before)[-1])
            found.setdefault(heading, []).append((sentence, asserted))
    return cells[0].source.splitlines()[0].removeprefix("# "), found


class Claims(SphinxDirective):
    def run(self):
        rows, total, names = [], 0, [n for n in sorted(self.env.found_docs) if number_of(n)]
        for name in names:
            path = self.env.doc2path(name)
            self.env.note_dependency(path)
            title, found = claims(path)
            count = sum(len(asserted) for cells in found.values() for _, asserted in cells)
            total += count
            head = f"{number_of(name)} {title}: {count} assertions"
            if self.env.app.builder.name == "html":
                rows += [f"<details><summary>{head}</summary>", ""]
                for heading, cells in found.items():
                    rows += ["", f"**[{heading}](../{name}.ipynb#{slugify(heading)})**", ""]
                    for sentence, asserted in cells:
                        sentence = re.sub(r"\]\((?=\d\d_)", "](../notebooks/", sentence)
                        sentence = sentence.replace("](../book/", "](")
                        code = "\n".join(asserted).splitlines()
                        rows += [sentence, "", "```python", *code, "```", ""]
                rows += ["</details>", ""]
            else:
                rows += [head, ""]
        rows = [f"**{total} assertions in {len(names)} chapters.**", "", *rows]
        return self.parse_text_to_nodes(StringList(rows, source="claims"))


def setup(app):
    app.add_directive("claims", Claims)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
