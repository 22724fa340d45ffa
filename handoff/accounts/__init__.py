"""Persons who sign in: passphrases, member keys and sessions."""
