"""The canonical form: ids out of texts, folds out of headings, and nothing lost that an author wrote."""

import nbformat
import pytest
from conftest import ROOT
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell

from tools.book.canonical import FOLD, canonical, cell_ids, losses


def form(*cells, **metadata):
    """Return the canonical form of a notebook of these cells, parsed again."""
    return nbformat.reads(canonical(new_notebook(cells=list(cells), metadata=metadata)), as_version=4)


def test_an_id_is_made_of_kind_and_text_and_of_earlier_cells_alone():
    cells = [new_code_cell("x"), new_markdown_cell("x"), new_code_cell("x"), new_code_cell("y"), new_code_cell("x")]
    ids = cell_ids(cells)
    assert len(set(ids)) == 5 and ids[2] == f"{ids[0]}-2" and ids[4] == f"{ids[0]}-3"
    assert cell_ids(cells[:3]) == ids[:3] == cell_ids(cells)[:3]  # and asking changes nothing


def test_the_canonical_form_is_its_own():
    for path in sorted((ROOT / "notebooks").glob("*.ipynb"))[:2]:
        text = path.read_text(encoding="utf-8")
        assert canonical(nbformat.reads(text, as_version=4)) == text


def test_it_drops_what_editors_write_and_keeps_what_authors_write():
    output = new_output("stream", name="stdout", text="1  \n")
    cell = new_code_cell("\nprint('1  ')\n", outputs=[output], execution_count=1, metadata={
        "collapsed": True, "execution": {"iopub.execute_input": "2026"}, "tags": ["hide-cell"], "cellView": "form", "mystnb": {"image": {"alt": "x"}}})
    notebook = form(new_markdown_cell("a line  \nbroken by two spaces"), cell, colab={"provenance": []}, kernelspec={"name": "mine", "display_name": "Mine"})
    assert notebook.cells[0].source == "a line  \nbroken by two spaces"
    assert notebook.cells[1].source == "print('1  ')" and notebook.cells[1].outputs[0].text == "1  \n"
    assert notebook.cells[1].metadata == {"tags": ["hide-cell"], "cellView": "form", "mystnb": {"image": {"alt": "x"}}}
    assert notebook.metadata.keys() == {"kernelspec", "language_info"} and notebook.metadata.kernelspec.name == "python3"


@pytest.mark.parametrize("cells, metadata, message", [
    ([new_raw_cell("x")], {}, "cell 2 is raw"),
    ([new_markdown_cell("![x](attachment:x.png)", attachments={"x.png": {"image/png": "aGVsbG8="}})], {}, r"cell 2 has an attachment \(x.png\)"),
    ([new_code_cell("x", metadata={"slideshow": {"slide_type": "skip"}, "name": "y"})], {}, "cell 2 has metadata of no use here: delete name, slideshow"),
    ([], {"authors": [{"name": "Ann"}]}, "metadata 'authors' has no place"),
])
def test_it_refuses_to_lose_what_an_author_wrote(cells, metadata, message):
    notebook = new_notebook(cells=[new_markdown_cell("# A"), *cells], metadata=metadata)
    with pytest.raises(ValueError, match=message):
        canonical(notebook)
    assert len(losses(notebook)) == 1


def test_a_section_go_deeper_is_folded_in_jupyterlab_and_colab():
    deep, again = new_markdown_cell("## Go deeper: why"), new_markdown_cell("### Go deeper: how\nText.")
    plain = new_markdown_cell("## Go on", metadata={FOLD: True})
    notebook = form(new_markdown_cell("# A"), deep, plain, new_code_cell("## Go deeper"), again, colab={"collapsed_sections": ["old"]})
    assert [index for index, cell in enumerate(notebook.cells) if cell.metadata.get(FOLD)] == [1, 4]
    assert notebook.metadata.colab == {"collapsed_sections": [notebook.cells[1].id, notebook.cells[4].id]}
    assert FOLD not in notebook.cells[2].metadata
    text = canonical(notebook)
    assert canonical(nbformat.reads(text, as_version=4)) == text
    assert "colab" not in form(plain, colab={"collapsed_sections": ["old"]}).metadata
