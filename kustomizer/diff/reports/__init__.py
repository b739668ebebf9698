"""A comparison in each form that it is printed in: pure functions from the records of `model` to text."""
