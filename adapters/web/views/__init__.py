"""The pages, each a module with a function `show`."""
