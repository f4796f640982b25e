"""Checks of claims, tests and waivers, one file each."""
