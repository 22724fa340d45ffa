"""`python -m bot` is `praat`."""

from bot.cli.main import main

main()
