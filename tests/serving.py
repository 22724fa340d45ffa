"""A real server on a free port of this machine, for what only a socket or a browser can show."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import SplitResult, urlsplit

import uvicorn


@contextmanager
def serving(app: Any, stop: Callable[[], object]) -> Iterator[SplitResult]:
    """Serve `app` in a thread, as it is served for real; gives its address. `stop` tells its streams to end."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(64)
    config = uvicorn.Config(
        app, http="httptools", log_level="warning", access_log=False, server_header=False, ws="none", lifespan="off",
        timeout_graceful_shutdown=3,
    )  # fmt: skip
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield urlsplit(f"http://127.0.0.1:{listener.getsockname()[1]}")
    finally:
        stop()
        server.should_exit = True
        thread.join(10)
        listener.close()
