"""The language's text and tree: reading, formatting and reporting on `.mesh` files."""
