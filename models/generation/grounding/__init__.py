"""Grounds written answers: passages made harmless before a model reads them, and every sentence held against them."""
