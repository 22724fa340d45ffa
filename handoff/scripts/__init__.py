"""Published versions of the script."""
