"""Tests: behaviour against real databases, fakes only at the seams, time passed in."""
