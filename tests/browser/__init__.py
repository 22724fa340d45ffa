"""A person in a real browser: headless Chromium plays a child and a confidant."""
