"""What runs, checks and shows the book (book/), and what is made once for it (make/); `python -m tools.compare
../other-checkout` prints the figures of merit of two checkouts."""
