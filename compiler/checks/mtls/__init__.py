"""Checks of mutual TLS, one file each."""
