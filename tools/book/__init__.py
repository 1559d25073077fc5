"""The tools of the book: python -m tools.book lint|refresh|bench|pdf."""
