"""Checks of routes, one file each."""
