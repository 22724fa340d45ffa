"""Copies of the database and of the keys, putting them back, and what may not come back with them (decision 0034)."""
