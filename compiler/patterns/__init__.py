"""Patterns over strings and addresses, their automata, and the exact classes that they tell apart."""
