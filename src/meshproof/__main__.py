"""`python -m meshproof` is the command `meshproof`."""

from meshproof.compiler.cli import main

if __name__ == "__main__":
    main()
