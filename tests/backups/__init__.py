"""Tests of copies, of putting them back, and of what may not come back."""
