"""From the bot to a human and back: sealed words, the queue, who may read, and what waits to go out to the child."""
