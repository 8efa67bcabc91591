"""`python -m twotower` is `twotower`."""

from twotower.cli import main

main()
