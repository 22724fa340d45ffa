"""`python -m bot` is `praat`."""

from bot.cli import main

main()
