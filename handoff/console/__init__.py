"""The console of the confidants: server-rendered pages on an origin of their own. Begin reading in `app.py`."""
