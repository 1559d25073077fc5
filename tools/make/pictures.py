"""Draw the figures' photograph, the card that stands where a link is shared, and README's picture.

    python -m tools.make.pictures           the first two
    python -m tools.make.pictures readme    the third, of the book that `make book` built

The third needs Chromium.
"""

import io
import sys

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.cbook import get_sample_data
from PIL import Image, ImageOps
from playwright.sync_api import sync_playwright
from scipy.signal import correlate2d

from tools.book.browser import FLAGS, find_chromium, serving
from tools.book.files import ROOT

BOOK = ROOT / "book"
PATH = BOOK / "figures" / "shared" / "photograph.bin"
CARD = BOOK / "_static" / "card.png"
README = ROOT / ".github" / "book.png"
SOBEL_X = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
NIGHT, DAY, FRAME = "#14181e", "#ffffff", "#80868f"


def photograph():
    """Return chapter 02's `grey`, rounded to bytes: uint8 (160, 160)."""
    with get_sample_data("grace_hopper.jpg") as file:
        photo = plt.imread(file)
    rgb = photo[20:340, 110:430].reshape(160, 2, 160, 2, 3).mean(axis=(1, 3)) / 255
    return np.round(rgb @ [0.299, 0.587, 0.114] * 255).astype(np.uint8)


def card():
    """Return a figure of 1200 x 630 pixels: the title, and a photograph, a kernel, its edges."""
    middle = dict(color=DAY, ha="center", va="center")
    grey = photograph() / 255
    edges = np.abs(correlate2d(grey, SOBEL_X, "valid"))
    figure = plt.figure(figsize=(12, 6.3), dpi=100, facecolor=NIGHT)
    for left, image in ((0.05, grey), (0.68, edges)):
        axes = figure.add_axes([left, 0.34, 0.27, 0.27 * 12 / 6.3])
        axes.imshow(image, cmap="gray", vmin=0, vmax=np.quantile(image, 0.995))
        axes.axis("off")
    axes = figure.add_axes([0.41, 0.44, 0.18, 0.18 * 12 / 6.3], xlim=(0, 3), ylim=(3, 0))
    axes.axis("off")
    for row, column in np.ndindex(3, 3):
        axes.add_patch(plt.Rectangle((column, row), 1, 1, facecolor=NIGHT, edgecolor="#82b4f5",
                                     linewidth=2, clip_on=False))
        weight = f"{SOBEL_X[row, column]}".replace("-", "\u2212")
        axes.text(column + 0.5, row + 0.52, weight, fontsize=28, **middle)
    for x, sign in ((0.365, "\u2217"), (0.635, "\u2192")):
        figure.text(x, 0.61, sign, fontsize=34, **middle)
    figure.text(0.05, 0.15, "From Kernels to ConvNets", color=DAY, fontsize=44, weight="bold")
    what = "Convolution and convolutional networks: a book that runs, and proves what it says"
    figure.text(0.05, 0.07, what, color="#c6ccd6", fontsize=19)
    return figure


def look(browser, address, theme, prepare, top):
    """Return 800 x 900 pixels of a page of the book, from 12 above the element `top` on."""
    tab = browser.new_page(viewport={"width": 800, "height": 900}, color_scheme=theme)
    tab.goto(address, wait_until="networkidle")
    prepare(tab)
    tab.locator(top).first.evaluate("element => scrollBy(0, element.getBoundingClientRect().top"
                                    " - document.querySelector('header').offsetHeight - 12)")
    tab.wait_for_timeout(500)
    picture = Image.open(io.BytesIO(tab.screenshot()))
    tab.close()
    return picture


def readme(site=ROOT / "_build" / "html"):
    """Return a picture of two pages side by side: a chapter and its figure by day, the first page
    by night, its network having read a digit.
    """
    def skip(tab):
        tab.locator("[data-skip]").first.click()
        tab.mouse.move(0, 0)

    def guess(tab):
        tab.locator(".figure-gate").get_by_role("button", name="9", exact=True).click()
        tab.mouse.move(0, 0)

    with serving(site) as url, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        chapter = look(browser, f"{url}/notebooks/02_five_kernels.html", "light", skip,
                       "kernel-playground")
        first = look(browser, f"{url}/book/index.html", "dark", guess, "article h1")
        browser.close()
    both = Image.new("RGB", (chapter.width + first.width, chapter.height))
    both.paste(chapter, (0, 0))
    both.paste(first, (chapter.width, 0))
    framed = ImageOps.expand(both, 1, FRAME)  # white ends on a white page too
    return framed.quantize(192, dither=Image.Dither.NONE)


if __name__ == "__main__" and sys.argv[1:] not in ([], ["readme"]):
    sys.exit(__doc__)
elif __name__ == "__main__" and "readme" in sys.argv:
    readme().save(README, optimize=True)
    print(f"{README}: {README.stat().st_size} bytes")
elif __name__ == "__main__":
    PATH.write_bytes(photograph().tobytes())
    card().savefig(CARD, facecolor=NIGHT)
    for path in (PATH, CARD):
        print(f"{path}: {path.stat().st_size} bytes")
