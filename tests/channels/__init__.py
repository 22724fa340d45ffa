"""Tests that every channel has to pass, and a third channel that passes them."""
