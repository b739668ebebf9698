"""What changes between two builds of a site, in the words of those who run it.

`model` says what a comparison is; `sources` gets the two builds, `prepare` makes them comparable and masks what is
secret, `compare` finds the changes, `rules` judges them, and what is in `reports` prints them.
"""
