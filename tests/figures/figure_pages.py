"""What the tests of the figures share: a page for each figure, in the book's own style."""

import shutil

import jinja2
import pytest
from browser import DESKTOP, serve
from conftest import ROOT
from figure_models import figures

THEME = ROOT / "book" / "_theme" / "kernels"
PAGE = """<!doctype html><html lang="en" data-theme="light"><head><meta charset="utf-8">
<title>A figure</title><meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><link rel="stylesheet" href="_static/theme.css">
{head}
</head><body><main style="max-width: 45rem; margin: auto; padding: 1rem"><article>
<h1>A figure</h1><div>
<{tag}{attributes}>
<p>The figure runs in the book's page.</p>
</{tag}>
</div><p class="after">What follows.</p></article></main></body></html>"""


def head_of(*tags):
    """Return what a page with these figures has in its head."""
    template = jinja2.Template((THEME / "figures.html").read_text(encoding="utf-8"))
    return template.render(figures={tag: figures.FIGURES[tag] for tag in tags}, static="_static/")


def page_of(tag, attributes=""):
    """Return a page of its own for a figure."""
    return PAGE.format(tag=tag, attributes=attributes, head=head_of(tag))


@pytest.fixture(scope="session")
def pages(tmp_path_factory):
    """The address of a folder with a page for each figure and each of its variants."""
    folder = tmp_path_factory.mktemp("figures")
    shutil.copytree(figures.FOLDER, folder / "_static" / "figures")
    shutil.copy(THEME / "static" / "theme.css", folder / "_static")
    for tag, figure in figures.FIGURES.items():
        (folder / f"{tag}.html").write_text(page_of(tag), encoding="utf-8")
        if "compact" in figure:
            text = page_of(tag, " compact")
            (folder / f"{tag}[compact].html").write_text(text, encoding="utf-8")
    return serve(folder)


@pytest.fixture
def figure(visit, pages):
    """The function figure("size-lab", "W=5", PHONE) that opens a page and waits for its figure."""

    def open_figure(name, query="", size=DESKTOP, **options):
        page = visit(f"{pages}/{name}.html" + (f"?{query}" if query else ""), size, **options)
        if options.get("java_script_enabled", True):
            page.locator("[data-ready]").first.wait_for(state="attached")
        return page

    open_figure.problems = visit.problems
    return open_figure


def expect_query(page, **values):
    """Wait until the address of a page holds these values, and no other."""
    page.wait_for_function("""(want) => {
        const query = Object.fromEntries(new URLSearchParams(location.search));
        const names = Object.keys(want);
        return names.length === Object.keys(query).length
            && names.every((name) => query[name] === want[name]);
    }""", arg={name: str(value) for name, value in values.items()})
