"""Checks of identities and tokens, one file each."""
