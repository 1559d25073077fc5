"""The drawing of the whole network: each chapter has it, and what is lit is what its line says."""

import re
import xml.etree.ElementTree as ET

import nbformat
import network
import pytest
from conftest import ROOT

SPOKEN = {"image": "image", "convolution": "convolution", "relu": "ReLU", "pooling": "pooling",
          "dense": "dense layer", "answer": "ten numbers", "error": "error"}
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_chapter_begins_with_the_network_and_says_what_is_lit(path):
    top = nbformat.read(path, as_version=4).cells[0].source
    below_title = top.split("\n\n")[1]
    line = network.LINE.fullmatch(below_title)
    assert line, f"no line of the network below the title: {below_title[:60]!r}"
    lit = [SPOKEN[name] for name in line[1].split()] if line[1] != "all" else list(SPOKEN.values())[:-1]
    assert re.findall("<b>(.*?)</b>", line[0]) == lit
    words = re.sub("<.*?>", "", line[0])
    assert words.startswith("Where you are: " + " → ".join(list(SPOKEN.values())[:-1]))


def lit_labels(svg):
    groups = [group for group in svg if group.tag.endswith("}g") and group.get("class") == "lit"]
    return [part.text for group in groups for part in group if part.tag.endswith("}text")]


@pytest.mark.parametrize("lit, labels", [
    ("pooling", ["pooling"]),
    ("error convolution", ["convolution", "error"]),
    ("all", ["image", "convolution", "ReLU", "pooling", "dense", "10 numbers"]),
])
def test_the_drawing_lights_what_it_is_told(lit, labels):
    svg = ET.fromstring(network.drawing(lit))  # it goes into an e-book too: it has to be XML
    assert lit_labels(svg) == labels
    assert svg.get("aria-label").endswith(f"This chapter: {', '.join(labels)}.")
    assert len(svg.findall("{*}g")) == 6 + ("error" in lit)


@pytest.mark.parametrize("lit", ["", "poling", "pooling, dense", "all of it"])
def test_an_unknown_piece_is_refused_by_name(lit):
    with pytest.raises(ValueError, match=re.escape(f'data-lit="{lit}"')):
        network.drawing(lit)


def test_every_page_has_the_drawing_in_place_of_the_line(site):
    for path in NOTEBOOKS:
        text = (site / "notebooks" / f"{path.stem}.html").read_text(encoding="utf-8")
        assert text.count('<svg xmlns="http://www.w3.org/2000/svg" class="network"') == 1
        assert 'class="network" data-lit' not in text
