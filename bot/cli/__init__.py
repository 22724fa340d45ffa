"""The `praat` command: one file for each group of commands."""
