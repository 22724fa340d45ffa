"""`praat nlu`: what the bot understands of a sentence, how good it is at it, and why."""

from __future__ import annotations

import typer

app = typer.Typer(no_args_is_help=True, help=__doc__, pretty_exceptions_enable=False)


@app.callback()
def _group() -> None:
    pass
