"""AWS App Mesh: its resources as values, what a policy becomes of them, and what they mean."""

from meshproof.targets.appmesh.target import AppMeshTarget

TARGET = AppMeshTarget()
"""What the entry point of targets names."""

READER = TARGET
"""What the entry point of readers names."""
