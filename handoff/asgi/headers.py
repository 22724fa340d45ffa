"""Security headers on every answer, also on those of errors."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HSTS = "max-age=31536000"

NEVER_USED = (
    "accelerometer", "browsing-topics", "camera", "display-capture", "encrypted-media", "geolocation", "gyroscope",
    "hid", "idle-detection", "keyboard-map", "local-fonts", "magnetometer", "microphone", "midi", "payment", "picture-in-picture",
    "screen-wake-lock", "serial", "storage-access", "usb", "window-management", "xr-spatial-tracking",
)  # fmt: skip
"""What no page of ours asks a browser for, so that a script slipped into one cannot either. Sound and passkeys are not in it."""

COMMON: Mapping[str, str] = {
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Origin-Agent-Cluster": "?1",
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in NEVER_USED),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""What both apps say."""


class SecurityHeadersMiddleware:
    """Adds headers to every answer.

    `headers` replace what the answer says itself, `defaults` do not. An answer that does not say it may be kept is not kept by a
    browser or a proxy; one under the path `files` may be, and is asked for again each time. `https` adds HSTS.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        headers: Mapping[str, str],
        defaults: Mapping[str, str] | None = None,
        files: str | None = None,
        https: bool,
    ) -> None:
        self._app = app
        self._headers = {**COMMON, **headers, **({"Strict-Transport-Security": HSTS} if https else {})}
        self._defaults = dict(defaults or {})
        self._files = files

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        kept = self._files is not None and scope["path"].startswith(self._files)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(self._headers)
                headers.setdefault("Cache-Control", "no-cache" if kept else "no-store")
                for name, value in self._defaults.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)
