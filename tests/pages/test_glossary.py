"""No word arrives before its meaning: a term's first use lies in the chapter that the glossary names, or is a link."""

import re

import nbformat
import pytest
from conftest import ROOT

ENTRY = re.compile(r"(?m)^(\S.*)\n  (.+)$")
HOME = re.compile(r"Taught in chapter (\d+), \[[^\]]+\]\(\.\./notebooks/(\d\d)_\w+\.ipynb\)\.$")
CASE_COUNTS = {"SAME", "VALID", "NHWC", "HWIO", "MNIST", "Adam", "He's rule"}
# How a term is met where not under its own name.
FORMS = {
    "calibration": r"calibrat(?:ions?|ed)", "initialisation": r"initialisations?", "learning-rate schedule": r"(?:learning[\s-]rate\s+)?schedules?", "overfitting": r"overfit(?:s|ted|ting)?",
    "regularisation": r"regularis(?:ations?|es?|ing|ers?)", "validation set": r"validation\s+(?:sets?|images|loss|accuracy)", "weight decay": r"weight[\s-]decay",
}
# What is no prose: code, formulas, the map of the network, addresses and tags.
NO_PROSE = re.compile(r'(?s)```.*?```|``?[^`\n]+``?|\$\$.*?\$\$|\$[^$\n]+\$|<p class="network".*?</p>|(?<=\])\([^)]*\)|<[^>]+>')


def glossary():
    """Return {term: number of the chapter that teaches it}."""
    text = (ROOT / "book" / "glossary.md").read_text(encoding="utf-8")
    body = re.search(r"(?s)```\{glossary\}\n(.*?)```", text)[1]
    entries = dict(ENTRY.findall(body))
    homes = {term: HOME.search(entry) for term, entry in entries.items()}
    assert [term for term, home in homes.items() if not home or int(home[1]) != int(home[2])] == []
    return {term: int(home[1]) for term, home in homes.items()}


def chapters():
    """Return {number: prose of the chapter}, in reading order."""
    texts = {}
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = nbformat.read(path, as_version=4).cells
        texts[int(path.name[:2])] = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    return texts


def spelling(term):
    """Return the pattern of a term: its plural, with hyphens or line breaks between its words."""
    words = FORMS.get(term) or r"[\s-]+".join(map(re.escape, term.split())) + "(?:e?s)?"
    return re.compile(rf"(?<![\w-]){words}(?![\w])", 0 if term in CASE_COUNTS else re.I)


def first_use(term, texts, terms=()):
    """Return (chapter, is it within a link, the words around it) of a term's first use, or None.

    A word of a longer one of `terms` is no use: "feature map" is none of "feature".
    """
    pattern = spelling(term)
    longer = [spelling(other) for other in terms if other != term and pattern.search(other)]
    for number, text in texts.items():
        prose = NO_PROSE.sub(" ", text)
        for other in longer:
            prose = other.sub(lambda match: "_" * len(match[0]), prose)
        for use in pattern.finditer(prose):
            before, after = prose[:use.start()], prose[use.end():]
            linked = before.rfind("[") > before.rfind("]") and "]" in after
            around = " ".join((before[-50:] + "»" + use[0] + "«" + after[:30]).split())
            return number, linked, around
    return None


GLOSSARY, TEXTS = glossary(), chapters()


@pytest.mark.parametrize("term", GLOSSARY)
def test_a_terms_first_use_is_where_it_is_taught(term):
    use = first_use(term, TEXTS, GLOSSARY)
    assert use, f"{term} is taught in chapter {GLOSSARY[term]} and used in none"
    number, linked, around = use
    assert number == GLOSSARY[term] or linked, f"{term}, taught in chapter {GLOSSARY[term]}, is met in {number}: {around}"


@pytest.mark.parametrize("text, found", [
    ("A stride of 2.", (1, False)), ("Two strides.", (1, False)), ("A [long stride](04.ipynb).", (1, True)), ("`stride` strider astride", None),
    ("[x](y) stride [z](w)", (1, False)), ("$stride$ and <b>no</b> pace", None),
])
def test_a_use_is_found(text, found):
    use = first_use("stride", {1: text})
    assert (use and use[:2]) == found


def test_a_term_of_two_words_may_be_broken_or_hyphenated():
    assert first_use("feature map", {5: "two feature\nmaps"})[0] == 5 == first_use("feature map", {5: "a feature-map"})[0]
    assert first_use("SAME", {4: "the same"}) is None
    assert first_use("feature", {5: "a feature map", 7: "a feature"}, ["feature map"])[0] == 7
