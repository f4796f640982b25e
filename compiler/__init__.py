"""Meaning, proofs and checks of policies, and the driver that brings them together."""
