"""Sphinx extension: finish the pages that the theme has written.

The theme (sphinx-book-theme on pydata-sphinx-theme on Bootstrap) loads 2.4 MB of scripts and styles on each page, leaves
gaps in accessibility, and says nothing to search engines. After the build this module rewrites each page once: it drops
the scripts that have nothing to do on it, draws the icons, joins what is left into one script and one style sheet without
the rules that no page uses, gives images their size, mends the markup and fills in the head. It also makes the 404 page,
and, before that, names the folded cells.

Meeting a new version of the theme: build, run tests/test_pages.py, and see which steps below still find what they look for;
a step that finds nothing does nothing.
"""

import copy
import os
import re
import shutil
import struct
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import assets
from bs4 import BeautifulSoup
from docutils import nodes
from sphinx.util import logging

logger = logging.getLogger(__name__)

# What a page needs only if it has such an element: (part of its address or text, selector). None: it is never needed.
NEEDED_FOR = [
    ("fontawesome.js", None),  # 1.5 MB; draw_icons does its work
    ("thebe", None),  # added twice, which is an error in the page, and it points at another site
    ("kernelName =", None),  # thebe's
    ("design-tabs", ".sd-tab-set"),
    ("toggle", ".toggle, .admonition.dropdown"),
    ("clipboard", ".highlight pre"),
    ("copybutton", ".highlight pre"),
    ("katex", ".katex"),
    ("searchtools", "#search-results"),  # the search page alone: everywhere else the search dialog leads there
    ("language_data", "#search-results"),
    ("searchindex", "#search-results"),
]
# What the theme copies to _static and no page asks for.
UNUSED = ["scripts/*.map", "styles/*.map", "scripts/fontawesome*", "locales", "*-macros.html"]

# The theme's own lines leave data-theme at "auto", and the page without colours, until its script has run.
CHOOSE_THEME = """
    const mode = localStorage.getItem("mode") || "auto";
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    Object.assign(document.documentElement.dataset, {mode, theme: mode === "auto" ? (dark ? "dark" : "light") : mode});
  """
NOT_FOUND = """
<h1>This page is not here</h1>
<p>It may have been moved or renamed. The <a href="book/index.html">first page</a> has the map of the whole course,
and the <a href="search.html">search</a> finds any word in it.</p>
"""


# --- folds ------------------------------------------------------------------------------------------------------------

def name_folds(app, doctree):
    """Call the fold of a cell what its first line calls it, as Colab does: "# @title Solution" in place of "Show code cell content"."""
    for cell in doctree.findall(lambda node: node.get("hide_mode") if isinstance(node, nodes.container) else False):
        code = next(cell.findall(nodes.literal_block), None)
        title = re.match(r"# @title (.+)", code.astext()) if code else None
        if title:
            cell["prompt_show"] = cell["prompt_hide"] = title[1]


# --- scripts, styles, icons -------------------------------------------------------------------------------------------

def drop_unneeded(soup, words):
    """Take out the scripts and style sheets that have nothing to do on this page, and the hints to load them."""
    # To search a page takes long: only for what its words, as words_of finds them, may hold.
    may_have = lambda selector: any(assets.is_used(each, words) for each in selector.split(","))
    unneeded = [part for part, selector in NEEDED_FOR if not (selector and may_have(selector) and soup.select_one(selector))]
    for tag in soup.select("script, link[rel=stylesheet], link[rel=preload]"):
        what = " ".join(filter(None, (tag.get("src"), tag.get("href"), tag.get("type"), tag.string)))
        if any(part in what for part in unneeded) or tag.get("rel") == ["preload"]:
            tag.decompose()


def join_files(soup, page, static, selector, attribute, bundles):
    """Replace the files of `static` that the page's tags `selector` name in `attribute` by one; return its tag."""
    found = [(tag, (page.parent / urlsplit(tag[attribute]).path).resolve()) for tag in soup.select(selector)]
    found = [(tag, file) for tag, file in found if file.is_relative_to(static)]
    if not found:
        return None
    for tag, file in found[1:]:
        tag.decompose()
    folder = os.path.relpath(static, page.parent).replace(os.sep, "/")
    found[0][0][attribute] = f"{folder}/{bundles.name(tuple(file for tag, file in found))}"
    return found[0][0]


def join_all(soup, page, static, styles, scripts):
    """Leave the page one style sheet and one script, which does not hold up the page."""
    link = join_files(soup, page, static, "link[rel=stylesheet]", "href", styles)
    link.attrs = {"rel": "stylesheet", "href": link["href"]}
    if soup.select_one("#search-results"):
        return  # Sphinx's search relies on the moment at which each of its scripts runs
    join_files(soup, page, static, "script[src]:not([type=module])", "src", scripts)["defer"] = ""
    for tag in soup.select("script:not([src])"):  # it speaks to a script that now runs later: a module waits for it
        if "DOCUMENTATION_OPTIONS" in (tag.string or ""):
            tag["type"] = "module"


def draw_icons(soup, icons):
    for tag in soup.select("i[class*=fa-], span[class*=fa-]"):
        if not assets.draw_icon(tag, icons):
            logger.warning("no icon for %s", " ".join(tag["class"]))


# --- images and accessibility -----------------------------------------------------------------------------------------

def size_images(soup, page):
    """Tell the size of PNG images, so that nothing moves when they come; all but the first one load when they are near."""
    for number, image in enumerate(soup.select("article img")):
        file = page.parent / urlsplit(image["src"]).path
        if file.suffix == ".png" and file.is_file():
            image["width"], image["height"] = struct.unpack(">II", file.read_bytes()[16:24])
        if number:
            image["loading"], image["decoding"] = "lazy", "async"


def mend_markup(soup):
    """Close the theme's gaps in accessibility, as axe finds them (tests/test_pages.py)."""
    for button in soup.select("button.search-button-field"):  # its visible text is its name
        del button["aria-label"]
    for tag in soup.select("div#pst-primary-sidebar"):
        tag["role"] = "region"
    for tag in soup.select("#pst-primary-sidebar, dialog"):
        tag["aria-label"] = {"pst-search-dialog": "Search", "pst-secondary-sidebar-modal": "On this page"}.get(tag["id"], "The book")
    for cell in soup.select("th"):  # the corner of a table with a heading in each row and column
        if not cell.get_text(strip=True):
            cell.name = "td"
    for tag in soup.select("[data-bs-toggle=tooltip]"):  # the browser shows a title too, without a script for each
        tag["title"] = tag.get("title") or tag.get("data-bs-title") or tag.get("aria-label")
        del tag["data-bs-toggle"]
    for box in soup.select(".pst-scrollable-table-container, div.math, article pre"):
        if box.name != "pre" or max(map(len, box.get_text().splitlines()), default=0) > 33:
            box["tabindex"] = "0"  # it may scroll on a phone; page.js takes this back where it does not


# --- the head ---------------------------------------------------------------------------------------------------------

def plain_text(tag):
    """Return the text of `tag` on one line, formulas as LaTeX."""
    tag = copy.copy(tag)
    for formula in tag.select(".katex"):
        formula.replace_with(formula.annotation.get_text())
    return " ".join(tag.get_text().split())


def describe(soup, address, base_url, title):
    """Fill in the head: description and preview, which needs the book's address; drop what is said twice."""
    for tag in soup.head.select("meta[name=viewport]")[1:] + soup.head.select("meta[name^=docsearch]"):
        tag.decompose()
    soup.title.string = " \u2014 ".join(dict.fromkeys(re.split(" \u2014 ", soup.title.get_text().strip())))
    paragraph = soup.select_one("article h1 ~ p, article section > p")
    text = plain_text(paragraph) if paragraph else title
    if len(text) > 160:
        text = text[:158].rsplit(" ", 1)[0].rstrip(",;:") + " \u2026"
    heading = soup.select_one("article h1")
    heading = plain_text(heading).rstrip("#") if heading else title
    names = [("name", "description", text), ("property", "og:title", heading), ("property", "og:description", text),
             ("property", "og:type", "article"), ("property", "og:site_name", title)]
    if base_url:
        names += [("property", "og:url", urljoin(base_url, address)), ("property", "og:image", urljoin(base_url, "_static/card.png")),
                  ("property", "og:image:alt", title), ("name", "twitter:card", "summary_large_image")]
    for kind, name, content in names:
        if not soup.head.select_one(f'meta[{kind}="{name}"]'):
            soup.head.append(soup.new_tag("meta", attrs={kind: name, "content": content}))


def from_the_root(soup, root):
    """Make every address on the 404 page start at `root`: the server shows it in place of any missing page."""
    for tag in soup.find_all(True):
        for attribute in ("href", "src", "action", "data-content_root"):
            if attribute in tag.attrs and not re.match(r"#|\w+:|//", tag[attribute]):
                tag[attribute] = root + tag[attribute].removeprefix("./")


# --- the build --------------------------------------------------------------------------------------------------------

def find_base_url(app, config):
    """Take the address of the published book from the environment: BOOK_URL, else GitHub Pages' for GITHUB_REPOSITORY."""
    owner, _, name = os.environ.get("GITHUB_REPOSITORY", "").partition("/")
    url = os.environ.get("BOOK_URL") or (f"https://{owner.lower()}.github.io/{'' if name.lower() == f'{owner.lower()}.github.io' else name}" if name else "")
    if url:
        config.html_baseurl = url.rstrip("/") + "/"  # the theme makes the canonical links of it


def start_afresh(app, env, added, changed, removed):
    """Have every page written again when a style, a script or an extension has changed: a page is finished once, with those of its time."""
    files = sorted(path for name in ("_static", "_ext") for path in (Path(app.confdir) / "book" / name).rglob("*.*") if path.suffix != ".pyc")
    state = [(str(path), path.stat().st_mtime_ns) for path in files]
    if getattr(env, "book_files", None) != state:
        shutil.rmtree(app.outdir / "_static", ignore_errors=True)
        changed = env.found_docs - added
    else:
        changed = []
    env.book_files = state
    return changed


def add_not_found(app):
    if app.builder.name == "html":
        yield "404", {"title": "This page is not here", "body": NOT_FOUND}, "page.html"


def finish_page(page, app, styles, scripts, icons, tokens):
    """Rewrite one page of the built book."""
    base_url, static = app.config.html_baseurl, app.outdir / "_static"
    text = assets.drop_plain_tokens(page.read_text(encoding="utf-8"), tokens)
    soup = BeautifulSoup(text, "html.parser")
    drop_unneeded(soup, assets.words_of([text], []))
    draw_icons(soup, icons)
    join_all(soup, page, static, styles, scripts)
    size_images(soup, page)
    mend_markup(soup)
    describe(soup, page.relative_to(app.outdir).as_posix(), base_url, app.config.html_title or app.config.project)
    for script in soup.head.select("script[data-cfasync]"):
        script.string = CHOOSE_THEME
    soup.html["data-theme"] = "light"  # where no script runs
    soup.html["data-finished"] = ""
    if page.name == "404.html":
        from_the_root(soup, urlsplit(base_url).path)
    page.write_text(str(soup), encoding="utf-8")


def finish(app, exception):
    if exception or app.builder.name != "html":
        return
    static = app.outdir / "_static"
    texts = {page: page.read_text(encoding="utf-8") for page in app.outdir.rglob("*.html") if static not in page.parents}
    fresh = [page for page, text in texts.items() if "data-content_root" in text and "data-finished" not in text]
    fontawesome = static / "scripts" / "fontawesome.js"
    if fresh and fontawesome.exists():
        icons = assets.icons_of(fontawesome.read_text(encoding="utf-8"))
        own = [file for file in static.rglob("*.js") if not re.search(r"fontawesome|^book-", file.name)]
        words = assets.words_of(texts.values(), [file.read_text(encoding="utf-8") for file in own]) | {"svg", "path"}
        tokens = assets.plain_tokens((static / "pygments.css").read_text(encoding="utf-8"))
        styles = assets.Bundles(static, "css", lambda file: assets.read_styles(file, static, words))
        scripts = assets.Bundles(static, "js", assets.read_script)
        for page in fresh:
            finish_page(page, app, styles, scripts, icons, tokens)
    write_for_robots(app)
    for pattern in UNUSED:
        for path in static.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def write_for_robots(app):
    """Write robots.txt, the sitemap when the book's address is known, and the way from / to the first page."""
    base_url, first = app.config.html_baseurl, app.builder.get_target_uri(app.config.root_doc)
    robots = "User-agent: *\nAllow: /\n"
    if base_url:
        robots += f"Sitemap: {base_url}sitemap.xml\n"
        addresses = [base_url + app.builder.get_target_uri(name) for name in sorted(app.env.found_docs)]
        entries = "\n".join(f"<url><loc>{address}</loc></url>" for address in addresses)
        sitemap = f'<?xml version="1.0" encoding="utf-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{entries}\n</urlset>\n'
        (app.outdir / "sitemap.xml").write_text(sitemap, encoding="utf-8")
    (app.outdir / "robots.txt").write_text(robots, encoding="utf-8")
    title = app.config.project
    (app.outdir / "index.html").write_text(
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<link rel="icon" href="_static/favicon.svg"><meta http-equiv="refresh" content="0; url={first}">'
        f'<link rel="canonical" href="{base_url}{first}"></head>'
        f'<body><main><h1>{title}</h1><p><a href="{first}">Open the book</a></p></main></body></html>\n', encoding="utf-8")


def setup(app):
    app.connect("config-inited", find_base_url)
    app.connect("doctree-read", name_folds)
    app.connect("env-get-outdated", start_afresh)
    app.connect("html-collect-pages", add_not_found)
    app.connect("build-finished", finish, priority=900)  # after pydata-sphinx-theme has rewritten pygments.css
    return {"parallel_read_safe": True, "parallel_write_safe": True}
