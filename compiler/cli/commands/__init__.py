"""The commands, one a file, each bound to `command`."""
