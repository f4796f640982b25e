"""The intermediate representation: frozen values that say what a policy means, whatever it was written in.

The language is resolved to it, foreign files are lifted to it, and everything behind it (interpreter, solver,
engine, targets) reads nothing else. Importing it loads no solver, parser or renderer.
"""
