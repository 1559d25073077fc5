"""What a maintainer runs; `make` lists the same by shorter names.

python -m tools.book lint                       look at every file without running anything
python -m tools.book lint --table               measure the core path of each chapter
python -m tools.book refresh [NOTEBOOK ...]     run notebooks, or all, and store their outputs;
                                                first --renew: of trainings and timings too
python -m tools.book bench [NOTEBOOK ...]       seconds and memory of notebooks and of the book
python -m tools.book pdf PAGE OUT               print the HTML file of the book in one page
"""

import sys
from pathlib import Path

from tools.book import core_path, lint, pdf, run
from tools.book.files import chapters


def named(notebooks):
    """Return the paths of these notebooks, or of all."""
    paths = [Path(name).resolve() for name in notebooks]
    for path in paths:
        if not path.exists():
            sys.exit(f"no such notebook: {path}")
    return paths or chapters()


def main(arguments):
    match arguments:
        case ["lint", "--table"]:
            core_path.print_table(chapters())
        case ["lint"]:
            problems = lint.lint()
            print("\n".join(problems) or "Nothing to complain of.")
            return bool(problems)
        case ["refresh", "--renew", *notebooks]:
            return run.refresh(named(notebooks), renew=True)
        case ["refresh", *notebooks]:
            return run.refresh(named(notebooks))
        case ["bench", *notebooks]:
            return run.bench(named(notebooks))
        case ["pdf", page, out]:
            return pdf.print_pdf(page, out)
        case _:
            return __doc__


sys.exit(main(sys.argv[1:]))
