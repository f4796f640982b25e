"""Checks of what Istio's objects let anyone write, and a policy of the language does not: one file each."""
