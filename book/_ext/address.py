"""Sphinx extension: where the repository and the published book are, found when the book is built.

The repository is that of GITHUB_REPOSITORY (set by GitHub's runners), else of the git remote; so a
fork's book opens the fork's notebooks in Colab. The book's own address is BOOK_URL, else GitHub
Pages' for GITHUB_REPOSITORY. What is not known has no button and no link.

The page of checkup.py says the book's address in place of ADDRESS_OF_THIS_BOOK, and the copy of
checkup.py that it offers has it in BOOK: its reports link to the chapter.
"""

import os
import re
import subprocess
from pathlib import Path


def repository_url(environ, folder):
    """Return "https://github.com/OWNER/REPO", or None where neither `environ` nor git names one."""
    if environ.get("GITHUB_REPOSITORY"):
        return f"https://github.com/{environ['GITHUB_REPOSITORY']}"
    command = ["git", "-C", str(folder), "remote", "get-url", "origin"]
    try:
        remote = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        return None
    match = re.search(r"github\.com[:/]([\w.-]+/[\w.-]+?)(\.git)?/?$", remote.stdout.strip())
    return f"https://github.com/{match[1]}" if match else None


def book_url(environ):
    """Return the address of the published book, with a slash at its end, or ""."""
    url = environ.get("BOOK_URL", "")
    owner, _, name = environ.get("GITHUB_REPOSITORY", "").partition("/")
    if not url and name:
        host = f"{owner.lower()}.github.io"
        url = f"https://{host}/{'' if name.lower() == host else name}"
    return url.rstrip("/") + "/" if url else ""


def configure(app, config):
    config.html_baseurl = book_url(os.environ)
    known = {"html_baseurl": config.html_baseurl}
    url = repository_url(os.environ, app.confdir)
    if url:
        branch = os.environ.get("GITHUB_REF_NAME") or "main"
        repository = url.removeprefix("https://github.com/")
        known["repository"] = url
        known["colab"] = f"https://colab.research.google.com/github/{repository}/blob/{branch}"
    config.html_context = {**config.html_context, **known}


def name_address(app, page, source):
    if page == "book/checkup" and app.config.html_baseurl:
        address = app.config.html_baseurl.rstrip("/")
        source[0] = source[0].replace("ADDRESS_OF_THIS_BOOK", address)


def fill_address(app, error):
    file = Path(app.outdir) / "_static" / "checkup.py"
    if not error and app.builder.format == "html" and file.exists():
        text = file.read_text(encoding="utf-8")
        address = f'BOOK = "{app.config.html_baseurl}"'
        file.write_text(text.replace('BOOK = ""', address), encoding="utf-8")


def setup(app):
    app.connect("config-inited", configure)
    app.connect("source-read", name_address)
    app.connect("build-finished", fill_address)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
