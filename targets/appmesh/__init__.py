"""AWS App Mesh: its resources as values, in the three forms in which they are written."""
