"""Whether anything is lost when everything goes wrong: `python -m bench.kill`."""
