"""Who belongs to a team, and what its members do for each other."""
