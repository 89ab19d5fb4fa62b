"""``python -m visanda``: the command."""

from visanda.cli import main

main()
