"""``python -m emberc``: the command line, where its script is not on the path."""

from emberc.cli.main import main

if __name__ == "__main__":
    main()
