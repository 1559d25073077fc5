"""The address of the repository: from the environment or the git remote, and written nowhere."""

import re
import subprocess
from types import SimpleNamespace

import pytest
from conftest import ROOT

from book._ext import address


def tracked():
    """Return the paths of the text files that git tracks (in an export without git: all but build folders)."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode == 0 and listed.stdout:
        paths = [ROOT / line for line in listed.stdout.splitlines()]
    else:
        skip = {".venv", "_build", ".git", ".pytest_cache", ".hypothesis", ".ruff_cache", "__pycache__", ".ipynb_checkpoints"}
        paths = [path for path in ROOT.rglob("*") if not skip & set(path.relative_to(ROOT).parts)]
    return [path for path in paths if path.is_file() and path.suffix not in {".npz", ".woff2", ".png", ".bin", ".safetensors"}]


def test_the_repositorys_address_is_written_nowhere():
    """A fork's book points at the fork: no launch link, badge or clone address with a fixed owner."""
    pattern = re.compile(r"colab\.research\.google\.com/github/(?!owner/)\w|git clone (https?://|git@)\w|mybinder\.org/v2/gh/\w")
    for path in tracked():
        if path.name != "test_address.py":
            assert not pattern.search(path.read_text(encoding="utf-8")), path


def git(folder, *arguments):
    subprocess.run(["git", "-C", folder, *arguments], check=True, capture_output=True)


@pytest.mark.parametrize("remote, url", [
    ("https://github.com/ann/book.git", "https://github.com/ann/book"),
    ("git@github.com:ann/my.book.git", "https://github.com/ann/my.book"),
    ("https://example.org/book.git", None),
    (None, None),
])
def test_the_address_comes_from_the_environment_or_the_remote(tmp_path, remote, url):
    git(tmp_path, "init")
    if remote:
        git(tmp_path, "remote", "add", "origin", remote)
    assert address.repository_url({}, tmp_path) == url
    assert address.repository_url({"GITHUB_REPOSITORY": "bob/fork"}, tmp_path) == "https://github.com/bob/fork"


def test_without_an_address_there_are_no_buttons(tmp_path, monkeypatch):
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    monkeypatch.delenv("BOOK_URL", raising=False)
    config = SimpleNamespace(html_context={}, html_baseurl=None)
    address.configure(SimpleNamespace(confdir=tmp_path), config)
    assert not any(config.html_context.values()) and config.html_baseurl == ""


@pytest.mark.parametrize("environ, url", [
    ({}, ""),
    ({"GITHUB_REPOSITORY": "Ann/book"}, "https://ann.github.io/book/"),
    ({"GITHUB_REPOSITORY": "ann/ann.github.io"}, "https://ann.github.io/"),
    ({"GITHUB_REPOSITORY": "ann/book", "BOOK_URL": "https://book.example"}, "https://book.example/"),
])
def test_the_books_own_address(environ, url):
    assert address.book_url(environ) == url
