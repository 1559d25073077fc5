"""A sample book of four pages for the tests of pages: the real configuration, extensions and theme,
and one of each thing that a page may hold. It is built in a second or two.
"""

import base64
import shutil
import struct
import zlib

import nbformat
from conftest import ROOT
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

LONG = "This page has a beginning that is much longer than any search engine shows, " * 3
TOC = """
format: jb-book
root: book/index
parts:
- caption: A part
  chapters: [{file: notebooks/04_first}, {file: notebooks/11_second}]
- caption: Appendices
  chapters: [{file: book/appendix}]
"""


def png(width, height):
    """Return a PNG of that size, as a notebook stores it."""

    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    rows = zlib.compress((b"\0" * (width + 1)) * height)
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    return base64.b64encode(data).decode()


def code(source, *pictures, **metadata):
    outputs = [new_output("display_data", {"image/png": png(*size)}) for size in pictures]
    metadata["mystnb"] = {"image": {"alt": "a grey picture, for the test"}}
    return new_code_cell(source, outputs=outputs, metadata=metadata, execution_count=1)


def printing(text):
    output = new_output("stream", name="stdout", text=text)
    return new_code_cell("check()", outputs=[output], execution_count=1)


def chapter(title):
    """Return a chapter with one of each thing that a page may hold."""
    return new_notebook(
        metadata={"language_info": {"name": "python"}},
        cells=[
            new_markdown_cell(
                f"# {title}\n\n{LONG}\n\n**What** it is.\n\n"
                "**Dauer** etwa 35 Minuten, mit allem 80."
            ),
            code("# @title A & B\nx = 1  # one", tags=["hide-cell"]),
            code("def double(number):\n    return [number, number * 2]", (30, 20), (8, 9)),
            new_markdown_cell(
                "## A table\n\n|   | b |\n|---|---|\n| 1 | $x$ |\n\n**Not** 99 minutes."
            ),
            new_markdown_cell(
                "## Go deeper: further\n\nDeep text.\n\n### Deeper still\n\nEven deeper.\n\n"
                "## Afterwards\n\nAbove [it](#deeper-still)."
            ),
            printing("Not yet: a sentence.\n"),
            printing("a  table\nof numbers\n"),
        ],
    )


def write_sample(folder):
    """Write the sources of the sample book into `folder`, and return it."""
    folder.mkdir(exist_ok=True)
    for name in ("_ext", "_theme", "figures"):  # a copy: a test changes it
        shutil.copytree(
            ROOT / "book" / name,
            folder / "book" / name,
            ignore=shutil.ignore_patterns("__pycache__"),
        )
    shutil.copy(ROOT / "book" / "figures.yml", folder / "book")
    (folder / "book" / "_static").symlink_to(ROOT / "book" / "_static")
    shutil.copy(ROOT / "_config.yml", folder)
    (folder / "_toc.yml").write_text(TOC, encoding="utf-8")
    (folder / "book" / "index.md").write_text(
        "# The first page\n\nHow the sample begins, & ends.\n", encoding="utf-8"
    )
    (folder / "book" / "appendix.md").write_text(
        "# An *appendix*\n\nSome text that is not short.\n\n"
        "<div>\n<size-lab><p>A figure.</p></size-lab>\n</div>\n",
        encoding="utf-8",
    )
    (folder / "notebooks").mkdir()
    for name in ("04_first", "11_second"):
        nbformat.write(chapter(f"Chapter {name[3:]}"), folder / "notebooks" / f"{name}.ipynb")
    return folder
