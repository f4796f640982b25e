"""AWS App Mesh: its resources as values, in the spellings of its API, of CloudFormation and of its controller."""

from meshproof.targets.appmesh.reader import AppMeshReader

READER = AppMeshReader()
"""What the entry point names."""
