"""Checks of authorization rules, one file each."""
