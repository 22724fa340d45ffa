"""Telegram, tested against a Bot API server of our own: real HTTP, Telegram's published parameters and errors, faults on demand."""
