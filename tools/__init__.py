"""What runs, checks and shows the book (book/), and what is made once for it (make/)."""
