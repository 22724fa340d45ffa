"""One chat with one child: its rows, its outbox, and how both end."""
