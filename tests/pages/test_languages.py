"""The book is ready for other languages: every sentence outside code reaches a catalogue, and comes back from it.

One page is built in a pseudo-language that writes each letter with a mark. What is left without marks has not been asked for.
"""

import re
import shutil
import subprocess
import sys

import pytest
import yaml
from babel.messages.pofile import read_po, write_po
from browser import serve
from bs4 import BeautifulSoup
from conftest import ROOT

PAGE = "notebooks/04_output_size"
LANGUAGE = "eo"  # any in which Sphinx does not speak for us
MARKED = str.maketrans(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "ȧƀƈḓḗƒɠħīĵķŀḿƞǿƥɋřşŧŭṽẇẋẏẑȦƁƇḒḖƑƓĦĪĴĶĿḾȠǾƤɊŘŞŦŬṼẆẊẎẐ",
)
# What a translator leaves as it is: code, formulas, addresses, tags, roles, holes for values, file names.
KEPT = re.compile(
    r"`[^`]*`|\$[^$]*\$|\]\([^)]*\)|<[^>]*>|\{[^}]*\}|%\(\w+\)s|https?://\S+|\.\. image:: .*|&\w+;|\\\w|\b(SAME|VALID)\b"
)
UNMARKED = re.compile(r"[A-Za-z]{3,}")


def translate(text):
    parts, at = [], 0
    for kept in KEPT.finditer(text):
        parts += [text[at : kept.start()].translate(MARKED), kept[0]]
        at = kept.end()
    return "".join(parts) + text[at:].translate(MARKED)


def jupyter_book(source, *options):
    command = [
        sys.executable,
        "-c",
        "from jupyter_book.cli.main import main; main()",
        "build",
        str(source),
        *map(str, options),
    ]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]


@pytest.fixture(scope="module")
def marked(tmp_path_factory):
    """The folder of a small book's pages in the pseudo-language."""
    source = tmp_path_factory.mktemp("languages")
    (source / "book").symlink_to(ROOT / "book")
    (source / "notebooks").mkdir()
    shutil.copy(ROOT / f"{PAGE}.ipynb", source / "notebooks")
    toc = {
        "format": "jb-book",
        "root": "book/index",
        "parts": [{"caption": "Part I: the operation", "chapters": [{"file": PAGE}]}],
    }
    (source / "_toc.yml").write_text(yaml.safe_dump(toc), encoding="utf-8")
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    (source / "_config.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    jupyter_book(
        source,
        "--builder",
        "custom",
        "--custom-builder",
        "gettext",
        "--path-output",
        source / "catalogues",
    )

    for path in (source / "catalogues").rglob("*.pot"):
        with open(path, "rb") as file:
            catalogue = read_po(file, locale=LANGUAGE)
        for message in catalogue:
            if message.id:
                message.string = translate(message.id)
        domain = path.relative_to(source / "catalogues" / "_build" / "gettext")
        target = (source / "locale" / LANGUAGE / "LC_MESSAGES" / domain).with_suffix(".po")
        target.parent.mkdir(parents=True, exist_ok=True)
        with open(target, "wb") as file:
            write_po(file, catalogue)

    config["sphinx"]["config"]["language"] = LANGUAGE
    config["title"] = config["sphinx"]["config"]["project"] = translate(
        config["title"]
    )  # a translator's own settings
    (source / "_config.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    jupyter_book(source, "--path-output", source / "built")
    return source / "built" / "_build" / "html"


def left_in_english(html):
    """Return the texts of a page, with what screen readers hear, that have unmarked words outside code and formulas."""
    soup = BeautifulSoup(html, "html.parser")
    for tag in soup.select(
        "pre, code, kbd, script, style, .katex, .math, svg, a.headerlink, [translate=no]"
    ):
        tag.decompose()
    texts = [
        text.strip()
        for text in soup.find_all(string=True)
        if type(text).__name__ == "NavigableString"
    ]
    for attribute in (
        "alt",
        "title",
        "aria-label",
        "placeholder",
        "data-copy",
        "data-copied",
        "data-auto",
        "data-light",
        "data-dark",
    ):
        texts += [tag[attribute] for tag in soup.find_all(attrs={attribute: True})]
    texts += [
        tag["content"] for tag in soup.select("meta[name=description], meta[property='og:title']")
    ]
    return [text for text in texts if UNMARKED.search(KEPT.sub("", text))]


def test_every_sentence_of_a_page_comes_from_a_catalogue(marked):
    html = (marked / f"{PAGE}.html").read_text(encoding="utf-8")
    assert f'lang="{LANGUAGE}"' in html and len(html) > 50_000
    assert left_in_english(html) == []


def test_the_figures_sentences_too(marked, visit):
    tab = visit(f"{serve(marked)}/{PAGE}.html")
    figure = tab.locator("size-lab[data-ready]")
    figure.wait_for()
    assert left_in_english(figure.evaluate("element => element.outerHTML")) == []


def test_a_sentence_that_is_in_no_catalogue_is_found():
    assert left_in_english("<p>Ħḗŀŀǿ <code>x = 1</code></p>") == []
    assert left_in_english("<p>Ħḗŀŀǿ <i>world</i></p>") == ["world"]
    assert left_in_english('<img alt="A picture">') == ["A picture"]
