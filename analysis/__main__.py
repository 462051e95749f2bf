"""Run the command line: ``python -m analysis``."""

from .cli import main

if __name__ == "__main__":
    main()
