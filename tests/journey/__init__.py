"""Whole journeys, from the child to the confidant and back."""
