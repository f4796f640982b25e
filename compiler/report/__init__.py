"""Reports: what a run found, as values, and one renderer a file that writes them down."""
