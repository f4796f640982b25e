"""What decides and proxies while a mesh runs: it reads the bundle that the compiler wrote, and stands apart from the solver."""
