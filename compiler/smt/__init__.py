"""Symbolic requests: everything that can come to one port, as one finite formula, and the solver that decides it.

Nothing outside of this package imports z3. Nothing in it imports the interpreter (`compiler.semantics`): both read the
language reference on their own, and what one finds the other replays.
"""
