"""Measures how well pictures are labelled and captioned, on pictures of which that is known."""
