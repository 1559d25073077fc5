"""python -m tools.book: what a maintainer runs. `make` lists the same by shorter names."""

import argparse
import sys
from pathlib import Path

from tools.book import browser, core, lint, pdf, run
from tools.book.tree import chapters


def notebook(text):
    path = Path(text).resolve()
    if not path.exists():
        raise argparse.ArgumentTypeError(f"no such notebook: {path}")
    return path


def main():
    parser = argparse.ArgumentParser(prog="python -m tools.book", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("lint", help="look at every file without running anything")
    command.add_argument("--table", action="store_true", help="measure the chapters' core paths")
    for name, what in [("refresh", "run notebooks from top to bottom and store their outputs"),
                       ("bench", "seconds and memory of notebooks, seconds of the book")]:
        command = commands.add_parser(name, help=what)
        command.add_argument("notebooks", nargs="*", type=notebook, help="default: all")
        if name == "refresh":
            command.add_argument("--renew", action="store_true",
                                 help="store new outputs of trainings and timings too")
    command = commands.add_parser("pdf", help="print a page, with an outline and page numbers")
    command.add_argument("page", help="the HTML file of the book in one page")
    command.add_argument("out")
    command = commands.add_parser("lighthouse", help="Lighthouse's four scores, desktop and phone")
    command.add_argument("folder", help="the built book")
    command.add_argument("pages", nargs="*", help="default: all")
    arguments = parser.parse_args()

    if arguments.command in ("pdf", "lighthouse") and browser.find_chromium() is None:
        sys.exit(browser.MISSING)
    match arguments.command:
        case "lint":
            if arguments.table:
                core.print_table(chapters())
            problems = lint.lint()
            print("\n".join(problems) or "Nothing to complain of.")
            return bool(problems)
        case "refresh":
            return run.refresh(arguments.notebooks or chapters(), arguments.renew)
        case "bench":
            return run.bench(arguments.notebooks or chapters())
        case "pdf":
            return pdf.print_pdf(arguments.page, arguments.out)
        case "lighthouse":
            return browser.print_lighthouse(arguments.folder, arguments.pages)


if __name__ == "__main__":
    sys.exit(main())
