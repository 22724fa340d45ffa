"""The other engine: a running Rasa server (`rasa run --enable-api`), for who wants DIET or another pipeline.

Only plain `http.client`: one short POST to `/model/parse` per message, with a deadline, on a connection that is kept. Rasa must listen
on the same machine or inside the same closed network, and must not run at DEBUG: there it logs what it parses.
"""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from nlu.understanding import EngineError, Reading

_MAX_ANSWER = 256 * 1024


class RasaServer:
    """`Engine` over HTTP. Safe to use from many threads: each keeps its own connection."""

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
        self._own = threading.local()

    def read(self, text: str) -> Reading:
        """Ask Rasa. Raises `EngineError` when it is late, gone, or answers something else than a ranking."""
        body = json.dumps({"text": text.lstrip(" \t\r\n/")}).encode()
        try:
            return _reading(self._post(body))
        except (OSError, http.client.HTTPException) as fault:
            self._close()
            raise EngineError(f"the Rasa server did not answer ({type(fault).__name__})", permanent=False) from None
        except (ValueError, KeyError, TypeError):
            self._close()
            raise EngineError("the Rasa server's answer is not a ranking of intents", permanent=False) from None

    def _post(self, body: bytes) -> Any:
        """One POST; a kept connection that the server has closed meanwhile is opened anew, once."""
        kept = getattr(self._own, "connection", None) is not None
        try:
            return self._exchange(body)
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            self._close()
            if not kept:
                raise
            return self._exchange(body)

    def _exchange(self, body: bytes) -> Any:
        connection = self._connection()
        connection.request("POST", self._path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        raw = answer.read(_MAX_ANSWER + 1)
        if answer.status != http.client.OK or len(raw) > _MAX_ANSWER:
            self._close()
            raise EngineError(f"the Rasa server answered {answer.status}", permanent=answer.status in {401, 403, 404})
        return json.loads(raw)

    def _connection(self) -> http.client.HTTPConnection:
        kept: http.client.HTTPConnection | None = getattr(self._own, "connection", None)
        if kept is None:
            kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
            kept = self._own.connection = kind(self._host, self._port, timeout=self._timeout_s)
        return kept

    def _close(self) -> None:
        kept = getattr(self._own, "connection", None)
        self._own.connection = None
        if kept is not None:
            kept.close()


def _reading(answer: Mapping[str, Any]) -> Reading:
    ranking = {str(entry["name"]): float(entry["confidence"]) for entry in answer.get("intent_ranking") or []}
    intent, confidence = str(answer["intent"]["name"]), float(answer["intent"]["confidence"])
    if not all(0.0 <= value <= 1.0 for value in (confidence, *ranking.values())):
        raise ValueError("a confidence outside 0 to 1")
    return Reading(intent, confidence, ranking or {intent: confidence})
