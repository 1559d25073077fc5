"""Sphinx extension: checkup.py, which its page offers, knows the address of the book.

On the page ADDRESS_OF_THIS_BOOK becomes the address, and in the built copy of the file so does
BOOK, from which its reports link to the chapter. Where the address is not known, both stay. An
e-book has no files to download: there the link is only text.
"""

import re
from pathlib import Path


def name_address(app, page, source):
    if page == "book/checkup" and app.builder.name == "epub":
        source[0] = re.sub(r"<a [^>]*download>(.*?)</a>", r"\1", source[0])
    if page == "book/checkup" and app.config.html_baseurl:
        address = app.config.html_baseurl.rstrip("/")
        source[0] = source[0].replace("ADDRESS_OF_THIS_BOOK", address)


def fill_address(app, error):
    file = Path(app.outdir) / "_static" / "checkup.py"
    if error is None and app.builder.format == "html" and file.exists():
        text = file.read_text(encoding="utf-8")
        text = text.replace('BOOK = ""', f'BOOK = "{app.config.html_baseurl or ""}"')
        file.write_text(text, encoding="utf-8")


def setup(app):
    app.connect("source-read", name_address)
    app.connect("build-finished", fill_address)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
