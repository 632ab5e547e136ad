"""``python -m unbarb`` is the command line."""

from unbarb.cli import main

main()
