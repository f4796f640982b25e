"""One package for each kind of mesh that a policy is compiled to, found by entry point."""
