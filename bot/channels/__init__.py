"""The ways in and out: each channel turns its own form into `bot.message` and back, and knows nothing else of the bot."""
