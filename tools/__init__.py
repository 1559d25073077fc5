"""What runs, checks and shows the book (book/), what is made or measured once for it (make/), and
what is asked weekly: Lighthouse of its pages (lighthouse/), Ray of chapter 21 (ray/).

`python -m tools.compare OTHER_CHECKOUT` prints the figures of merit of two checkouts.
"""
