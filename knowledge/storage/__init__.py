"""The versions of a knowledge base on disk: surveyed, built, checked, published, and opened for reading."""
