"""The Python interface: what the command line does, for programs."""
