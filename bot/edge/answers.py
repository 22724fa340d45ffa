"""What is answered where no app is asked: to a request that is none, that never ends, or for which there is no place."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

Page = Callable[[], bytes]
"""Makes a small page in HTML that needs nothing; on the child's port it holds the numbers."""

_HEADERS = (
    b"content-type: text/html; charset=utf-8\r\n"
    b"cache-control: no-store\r\n"
    b"content-security-policy: default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'\r\n"
    b"referrer-policy: no-referrer\r\n"
    b"x-content-type-options: nosniff\r\n"
    b"connection: close\r\n"
)


def answer(status: int, page: Page) -> bytes:
    """The whole answer, after which the connection ends."""
    body = page()
    phrase = HTTPStatus(status).phrase.encode()
    return b"HTTP/1.1 %d %s\r\n%scontent-length: %d\r\n\r\n%s" % (status, phrase, _HEADERS, len(body), body)
