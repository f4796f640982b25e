"""Meshproof: a policy-as-code compiler and verifier for service meshes."""

__version__ = "0.1.0"
