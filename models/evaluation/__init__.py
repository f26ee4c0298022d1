"""Measures generators on questions with their right answers, and tells it in tables, pictures and a report."""
