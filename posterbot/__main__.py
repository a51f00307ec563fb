"""``python -m posterbot``: the ``posterbot`` command, where its script is not on the path."""

from posterbot.cli import main

if __name__ == "__main__":
    main()
