"""Sphinx extension: the directive `teachers`, which gathers what each chapter says for teachers.

A chapter says it in one paragraph, "**For teachers.** In 45 minutes: ...", and nowhere else.
"""

import re

import nbformat
from docutils.statemachine import StringList
from page import number_of
from sphinx.util.docutils import SphinxDirective

LINE = re.compile(r"(?m)^\*\*For teachers\.\*\* (.+)$")


def line_for_teachers(path):
    """Return (title, line) of the notebook at `path`; the line is "" where there is none."""
    texts = [cell.source for cell in nbformat.read(path, as_version=4).cells
             if cell.cell_type == "markdown"]
    line = LINE.search("\n\n".join(texts))
    return texts[0].splitlines()[0].removeprefix("# "), line[1] if line else ""


class Teachers(SphinxDirective):
    def run(self):
        rows = []
        for name in sorted(self.env.found_docs):
            if number_of(name):
                path = self.env.doc2path(name)
                self.env.note_dependency(path)
                title, line = line_for_teachers(path)
                if line:
                    line = re.sub(r"\]\((?=\d\d_)", "](../notebooks/", line)
                    rows += [f"**{number_of(name)} [{title}](../{name}.ipynb).** {line}", ""]
        return self.parse_text_to_nodes(StringList(rows, source="for teachers"))


def setup(app):
    app.add_directive("teachers", Teachers)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
