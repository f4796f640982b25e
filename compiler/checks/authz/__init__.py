"""Checks of rules: what they decide, what they do not, and who can get round them."""
