"""The other engine: a running Rasa server (`rasa run --enable-api`), for who wants DIET or another pipeline.

One short POST to `/model/parse` per message, with a deadline, on a connection that is kept. Rasa must listen on the same machine
or inside the same closed network, and must not run at DEBUG: there it logs what it parses.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx

from nlu.understanding import Classification, EngineError

_MAX_ANSWER = 256 * 1024

for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)  # it logs each address at INFO, and there the token is in it


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
        self._url = f"{url.rstrip('/')}/model/parse" + (f"?{urlencode({'token': token})}" if token else "")
        self._client = httpx.Client(timeout=timeout_s, trust_env=False)  # no proxy: words go to this server and nowhere else

    def classify(self, text: str) -> Classification:
        """Ask Rasa. Raises `EngineError` when it is late, gone, or answers something else than a ranking."""
        body = json.dumps({"text": text.lstrip(" \t\r\n/")}).encode()
        try:
            return _classification(self._post(body))
        except httpx.HTTPError as fault:
            raise EngineError(f"the Rasa server did not answer ({type(fault).__name__})", permanent=False) from None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise EngineError("the Rasa server's answer is not a ranking of intents", permanent=False) from None

    def close(self) -> None:
        """Close the connections that are kept."""
        self._client.close()

    def _post(self, body: bytes) -> Any:
        """One POST; when the server closed the kept connection meanwhile, once more on a new one."""
        try:
            return self._exchange(body)
        except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
            return self._exchange(body)

    def _exchange(self, body: bytes) -> Any:
        headers = {"Content-Type": "application/json"}
        with self._client.stream("POST", self._url, content=body, headers=headers) as answer:
            raw = bytearray()
            for part in answer.iter_bytes():
                raw += part
                if len(raw) > _MAX_ANSWER:
                    break
        if answer.status_code != httpx.codes.OK or len(raw) > _MAX_ANSWER:
            permanent = answer.status_code in {401, 403, 404}
            raise EngineError(f"the Rasa server answered {answer.status_code}, {len(raw)} bytes", permanent=permanent)
        return json.loads(raw)


def _classification(answer: Mapping[str, Any]) -> Classification:
    ranking = {str(entry["name"]): float(entry["confidence"]) for entry in answer.get("intent_ranking") or []}
    intent, confidence = str(answer["intent"]["name"]), float(answer["intent"]["confidence"])
    if not all(0.0 <= value <= 1.0 for value in (confidence, *ranking.values())):
        raise ValueError("a confidence outside 0 to 1")
    return Classification(intent, confidence, ranking or {intent: confidence})
