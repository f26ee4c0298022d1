"""Puts the pictures of a folder into groups of those that look alike, and shows the groups on a contact sheet."""
