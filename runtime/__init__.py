"""What decides and proxies while a mesh runs: it reads the bundle that the compiler wrote, apart from the solver."""
