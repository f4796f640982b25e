"""The processes of a sidecar: a parent that holds what was given last and good, and workers that do the work."""
