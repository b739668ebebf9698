"""The forms in which a comparison is printed: pure functions from the records of `model` to text."""
