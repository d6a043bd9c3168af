"""`python -m gitopsreg`."""

from gitopsreg.cli.main import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
