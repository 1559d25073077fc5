"""Sphinx extension: two directives that gather from all chapters, so that no page repeats them.

`claims` lists what each chapter asserts, and of what. Beside its assertions a cell gets the
sentence that they prove: its own title, "# @title Proof: ..", or the first sentence of the text
after it, where a page states the result, or the last before it. In print only the numbers stay, as
every line stands in its chapter.

`teachers` gathers the one paragraph of each chapter "**For teachers.** In 45 minutes: ...".
"""

import ast
import re

import nbformat
from mdit_py_plugins.anchors.index import slugify
from page import number_of
from sphinx.util.docutils import SphinxDirective

TITLE = re.compile(r"# @title (?:Proof: |Check: )?(.+)")
NO_PROSE = re.compile(r"(?sm)<(\w+).*?</\1>|^#.*?$|^[-|>].*?$|\$\$.*?\$\$")
ENDS = re.compile(r"(?<=[.!?:])\s*\n\s*\n|(?<=[.!?])\s+")
FOR_TEACHERS = re.compile(r"(?m)^\*\*For teachers\.\*\* (.+)$")


def assertions(source):
    """Return the pieces of a cell's code that assert something, in order."""
    found = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Assert) or (
        isinstance(node, ast.Call) and getattr(node.func, "attr", "").startswith("assert_"))]
    return [ast.get_source_segment(source, node) for node in sorted(found, key=lambda n: n.lineno)]


def sentences(text):
    """Return the sentences of a Markdown text that are no questions."""
    found = [" ".join(part.split()) for part in ENDS.split(NO_PROSE.sub("", text))]
    return [sentence for sentence in found if sentence and not sentence.endswith("?")] or [""]


def claims(cells):
    """Return {heading: [(sentence, assertions)]} of the cells of a notebook."""
    found, heading, before = {}, "", ""
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
    return found


def for_teachers(cells):
    """Return what the cells of a notebook say for teachers, "" if nothing."""
    lines = [FOR_TEACHERS.search(cell.source) for cell in cells if cell.cell_type == "markdown"]
    return next((line[1] for line in lines if line), "")


def from_book(text):
    """Return the Markdown of a notebook as a page in book/ has to write it: its links."""
    return re.sub(r"\]\((?=\d\d_)", "](../notebooks/", text).replace("](../book/", "](")


def fold(name, head, found):
    """Return the Markdown lines of a fold with the claims of the chapter `name`."""
    rows = [f'<details class="fold"><summary>{head}</summary>', ""]
    for heading, cells in found.items():
        rows += [f"**[{heading}](../{name}.ipynb#{slugify(heading)})**", ""]
        for sentence, asserted in cells:
            rows += [from_book(sentence), "", "```python", *asserted, "```", ""]
    return [*rows, "</details>", ""]


class Gather(SphinxDirective):
    def chapters(self):
        """Yield (document, number, title, cells); when one changes, this page is written anew."""
        for name in sorted(filter(number_of, self.env.found_docs)):
            path = self.env.doc2path(name)
            self.env.note_dependency(path)
            cells = nbformat.read(path, as_version=4).cells
            yield name, number_of(name), cells[0].source.splitlines()[0].removeprefix("# "), cells


class Claims(Gather):
    def run(self):
        rows, counts = [], []
        for name, number, title, cells in self.chapters():
            found = claims(cells)
            counts.append(sum(len(asserted) for said in found.values() for _, asserted in said))
            head = f"{number} {title}: {counts[-1]} assertions"
            rows += fold(name, head, found) if self.env.app.builder.name == "html" else [head, ""]
        head = f"**{sum(counts)} assertions in {len(counts)} chapters.**"
        return self.parse_text_to_nodes("\n".join([head, "", *rows]))


class Teachers(Gather):
    def run(self):
        return self.parse_text_to_nodes("\n\n".join(
            f"**{number} [{title}](../{name}.ipynb).** {from_book(for_teachers(cells))}"
            for name, number, title, cells in self.chapters()))


def outdated(app, env, added, changed, removed):
    """Return the pages to read again where a chapter has come or gone: they have not noted it."""
    return {"book/claims", "book/for_teachers"} & env.found_docs if added or removed else set()


def setup(app):
    app.connect("env-get-outdated", outdated)
    app.add_directive("claims", Claims)
    app.add_directive("teachers", Teachers)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
