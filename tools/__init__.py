"""What runs, checks and shows the book (book/), and what is made once for it (make/).

`python -m tools.compare OTHER_CHECKOUT` prints the figures of merit of two checkouts.
"""
