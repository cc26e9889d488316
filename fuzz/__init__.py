"""Hostile input: every reader is given damaged, spliced and made-up files, each in a process with limits.

`python -m fuzz.campaign` counts towards 100,000 inputs a reader and can be stopped at any time; `python -m
fuzz.guided READER` lets Atheris follow the branches of our Python code. docs/trust.md has the figures.
"""
