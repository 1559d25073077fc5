"""A checker that accepts a wrong answer is worse than none: each is fed wrong answers here, and must reject them.

That it accepts the right one is asserted by the solution cell in the notebook, which `pytest --nbval` runs.
"""

import re
import runpy
from pathlib import Path

import pytest
from conftest import ROOT, definitions

FILES = sorted((Path(__file__).parent / "wrong_answers").glob("[0-9]*.py"))
CHAPTERS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))


@pytest.mark.parametrize("notebook", CHAPTERS, ids=lambda path: path.stem)
def test_each_checker_has_wrong_answers_and_rejects_them(notebook):
    path = ROOT / "tests" / "chapters" / "wrong_answers" / f"{notebook.stem}.py"
    assert path.exists(), f"write {path.relative_to(ROOT)}: wrong answers for each checker of {notebook.name}"
    names = definitions(notebook.name[:2])
    wrong = runpy.run_path(str(path), init_globals=dict(names))["WRONG"]
    checkers = {name for name in names if name.startswith("check_")}
    assert checkers == wrong.keys(), "each checker, and nothing else, has wrong answers"
    for name, answers in wrong.items():
        assert len(answers) >= 3, f"{name}: three wrong answers at least"
        for position, answer in enumerate(answers):
            verdict = names[name](answer)
            assert re.match(r"Not yet: .{10,}", verdict), f"{name} says {verdict!r} to wrong answer {position}: {answer!r}"


def test_no_wrong_answers_without_a_chapter():
    assert {path.stem for path in FILES} <= {path.stem for path in CHAPTERS}
