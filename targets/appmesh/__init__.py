"""AWS App Mesh: its resources as values, what a policy becomes of them, and what they mean."""

from meshproof.targets.appmesh.target import AppMeshTarget

TARGET = AppMeshTarget()
"""What the entry points of targets and of readers name."""
