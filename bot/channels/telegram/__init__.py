"""Telegram: updates come in by polling or webhook, and what waits in the outbox goes out."""
