"""Events and interactions that no platform should send, by the thousand, through the platforms' own libraries.

By hand: ``python -m tests.adapters.fuzz --platform discord --events 100000 --seed 1``. What is counted: `runs.Found`.
"""
