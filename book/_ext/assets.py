"""The style sheets, scripts and icons of the finished pages (used by pages.py): joined, and without what no page uses."""

import functools
import hashlib
import re

import tinycss2
from bs4 import Tag

ICON = re.compile(r'"?([a-z-]+)"?:\[(\d+),(\d+),\[[^]]*\],"[^"]*","(M[^"]+)"\]')


def words_of(pages, scripts):
    """Return every element name, class and id of the HTML texts `pages`, and every word of `scripts`, as a set."""
    words = set()
    for text in pages:
        words.update(re.findall(r"<([a-z][a-z0-9-]*)", text))
        for values in re.findall(r'(?:class|id)="([^"]*)"', text):
            words.update(values.split())
    for text in scripts:
        words.update(re.findall(r"[\w-]+", text))
    return words


def is_used(selector, words):
    """Say whether a CSS selector can match: each class, id and element in it, outside brackets, occurs in `words`."""
    previous = None
    while previous != selector:  # what stands inside :not(...) or [...] may or may not occur
        previous, selector = selector, re.sub(r"\([^()]*\)|\[[^]]*\]", "", selector)
    names = re.findall(r"[.#]([\w-]+)", selector) + re.findall(r"(?:^|[\s>+~])([a-z][\w-]*)", selector)
    return all(name in words for name in names)


def purge(rules, words):
    """Return the CSS text of `rules` (tinycss2's) without those whose selectors cannot match."""
    kept = []
    for rule in rules:
        if rule.type == "qualified-rule":
            selectors = [selector.strip() for selector in re.split(r",(?![^(]*\))", tinycss2.serialize(rule.prelude))]
            used = [selector for selector in selectors if "\\" in selector or is_used(selector, words)]
            if used:
                kept.append(f"{','.join(used)}{{{tinycss2.serialize(rule.content).strip()}}}")
        elif rule.type == "at-rule" and rule.lower_at_keyword in ("media", "supports", "layer") and rule.content is not None:
            inner = purge(tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True), words)
            if inner:
                kept.append(f"@{rule.at_keyword}{tinycss2.serialize(rule.prelude)}{{{inner}}}")
        elif rule.type == "at-rule" and rule.lower_at_keyword not in ("charset", "import"):
            kept.append(rule.serialize())
    return "\n".join(kept)


def read_styles(file, static, words):
    """Return the text of a CSS file, purged, with what it imports, and with addresses that hold in the folder `static`."""
    text = file.read_text(encoding="utf-8")
    imported = [read_styles((file.parent / name).resolve(), static, words) for name in re.findall(r'@import "([^":]+)";', text)]
    folder = file.parent.relative_to(static).as_posix()
    text = re.sub(r"url\((?!['\"]?(?:data:|#))(['\"]?)", lambda match: f"url({match[1]}{folder}/", text)
    rules = tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True)
    return "\n".join([*imported, purge(rules, words), ""])


def read_script(file):
    """Return the text of a script without the pointer to its map, and without the theme's search for what scrolls (see page.js)."""
    text = re.sub(r"//# sourceMappingURL=.*", "", file.read_text(encoding="utf-8"))
    return re.sub(r'"complete"===document\.readyState\?(\w+)\(\):window\.addEventListener\("load",\1\)', "0", text) + "\n;\n"


class Bundles:
    """One file in `static` for each list of files that some page asks for; `read` gives the text of a file."""

    def __init__(self, static, kind, read):
        self.static, self.kind, self.read, self.names = static, kind, functools.cache(read), {}

    def name(self, files):
        """Return the name of the bundle of `files`, with a digest of its text for the caches; writes it when it is new."""
        if files not in self.names:
            which = hashlib.sha256(" ".join(file.name for file in files).encode()).hexdigest()[:8]
            text = "".join(map(self.read, files))
            (self.static / f"book-{which}.{self.kind}").write_text(text, encoding="utf-8")
            self.names[files] = f"book-{which}.{self.kind}?v={hashlib.sha256(text.encode()).hexdigest()[:8]}"
        return self.names[files]


def plain_tokens(pygments_css):
    """Return the classes of tokens that look, in light and in dark, as code does that has no class at all."""
    styles = re.findall(r'(html\[data-theme="\w+"\]) \.highlight(?: \.(\w+))? \{(?: background: [^;]+;)? (color: #\w+) \}', pygments_css)
    base = {theme: style for theme, token, style in styles if not token}
    other = set(re.findall(r"\.highlight \.(\w+) \{ (?!color: #\w+ \})", pygments_css))
    return {token for theme, token, style in styles if token} - other - {token for theme, token, style in styles if style != base[theme]}


def drop_plain_tokens(text, tokens):
    """Take the spans of `tokens` out of the HTML of highlighted code: they are half of the elements of a page."""
    return re.sub(rf'<span class="(?:{"|".join(sorted(tokens))})">([^<]*)</span>', r"\1", text)


def icons_of(fontawesome):
    """Return {name: (width, height, path)} of the icons in the text of the theme's fontawesome.js; solid ones come last in it."""
    return {name: (width, height, path) for name, width, height, path in ICON.findall(fontawesome)}


def draw_icon(tag, icons):
    """Turn an empty <i class="fa-solid fa-NAME"> into the drawing of the icon; say whether there is one."""
    names = [name[3:] for name in tag["class"] if name.startswith("fa-") and name[3:] in icons]
    if names:
        width, height, path = icons[names[0]]
        tag.name, tag.attrs = "svg", {**tag.attrs, "viewBox": f"0 0 {width} {height}", "aria-hidden": "true"}
        tag.clear()
        tag.append(Tag(name="path", attrs={"fill": "currentColor", "d": path}))
    return bool(names)
