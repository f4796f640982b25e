"""A policy in the words of App Mesh."""
