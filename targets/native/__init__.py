"""The target native: one bundle of canonical JSON, which the engine of `meshproof.runtime` decides and routes by."""

from meshproof.targets.native.target import NativeTarget

TARGET = NativeTarget()
"""What the entry point `native` of the group `meshproof.targets` names."""
