"""The other engine: a running Rasa server (`rasa run --enable-api`), for who wants DIET or another pipeline.

Only plain `http.client`: one short POST to `/model/parse` per message, with a deadline, on a connection that is kept. Rasa must
listen on the same machine or inside the same closed network, and must not run at DEBUG: there it logs what it parses.
"""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from nlu.understanding import Classification, EngineError

_MAX_ANSWER = 256 * 1024


class RasaServer:
    """`Engine` over HTTP. Safe to use from many threads: connections are kept and shared out."""

    may_stall = True
    words: frozenset[str] = frozenset()

    def __init__(self, url: str, *, token: str | None = None, timeout_s: float = 0.2) -> None:
        """`url` is the server's root; `timeout_s` bounds each single network step (the `Reader` bounds the whole call).

        Raises `ValueError` when the URL is not plain http or https.
        """
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.username:
            raise ValueError("the Rasa server's URL must look like http://host:5005")
        self._secure = parts.scheme == "https"
        self._host, self._port = parts.hostname, parts.port
        self._path = f"{parts.path.rstrip('/')}/model/parse"
        if token:
            self._path += "?" + urlencode({"token": token})
        self._timeout_s = timeout_s
        self._idle: list[http.client.HTTPConnection] = []
        self._lock = threading.Lock()

    def classify(self, text: str) -> Classification:
        """Ask Rasa. Raises `EngineError` when it is late, gone, or answers something else than a ranking."""
        body = json.dumps({"text": text.lstrip(" \t\r\n/")}).encode()
        try:
            return _reading(self._post(body))
        except (OSError, http.client.HTTPException) as fault:
            raise EngineError(f"the Rasa server did not answer ({type(fault).__name__})", permanent=False) from None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise EngineError("the Rasa server's answer is not a ranking of intents", permanent=False) from None

    def close(self) -> None:
        """Close the connections that are kept; the next reading opens a new one."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _post(self, body: bytes) -> Any:
        """One POST; a kept connection that the server has closed meanwhile is opened anew, once."""
        with self._lock:
            kept = self._idle.pop() if self._idle else None
        if kept is not None:
            try:
                return self._exchange(kept, body)
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                pass  # closed since the last reading: not an answer to this one
        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        return self._exchange(kind(self._host, self._port, timeout=self._timeout_s), body)

    def _exchange(self, connection: http.client.HTTPConnection, body: bytes) -> Any:
        """Send and receive; the connection is kept only after a whole answer."""
        try:
            connection.request("POST", self._path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            raw = answer.read(_MAX_ANSWER + 1)
            _refuse(answer.status, len(raw))
        except BaseException:
            connection.close()
            raise
        with self._lock:
            self._idle.append(connection)
        return json.loads(raw)


def _refuse(status: int, size: int) -> None:
    if status != http.client.OK or size > _MAX_ANSWER:
        raise EngineError(f"the Rasa server answered {status}, {size} bytes", permanent=status in {401, 403, 404})


def _reading(answer: Mapping[str, Any]) -> Classification:
    ranking = {str(entry["name"]): float(entry["confidence"]) for entry in answer.get("intent_ranking") or []}
    intent, confidence = str(answer["intent"]["name"]), float(answer["intent"]["confidence"])
    if not all(0.0 <= value <= 1.0 for value in (confidence, *ranking.values())):
        raise ValueError("a confidence outside 0 to 1")
    return Classification(intent, confidence, ranking or {intent: confidence})
