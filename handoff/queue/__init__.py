"""Who waits for a human, who holds whom, and who is on duty."""
