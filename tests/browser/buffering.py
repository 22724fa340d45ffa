"""A real proxy that reads every answer to its end before it passes on a byte of it, as some do: a stream never arrives."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route


def buffering_proxy(origin: str, *, head_first: bool) -> Starlette:
    """The proxy in front of `origin`. With `head_first` it passes on status and headers at once, and holds back the rest alone."""

    async def forward(request: Request) -> Response:
        headers = {name: value for name, value in request.headers.items() if name != "host"} | {"accept-encoding": "identity"}
        if "origin" in headers:
            headers["origin"] = origin
        target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        client = httpx.AsyncClient(base_url=origin, timeout=60, verify=False)  # noqa: S501 - plain http; reading certificates takes long
        asked = client.build_request(request.method, target, headers=headers, content=await request.body())
        answer = await client.send(asked, stream=True)
        if head_first:
            kept = {name: value for name, value in answer.headers.items() if name != "content-length"}
            return StreamingResponse(_held(client, answer), answer.status_code, kept)
        return await _whole(request, client, answer)

    return Starlette(routes=[Route("/{path:path}", forward, methods=["GET", "POST"])])


async def _held(client: httpx.AsyncClient, answer: httpx.Response) -> AsyncIterator[bytes]:
    async with contextlib.aclosing(client):
        yield await answer.aread()


async def _whole(request: Request, client: httpx.AsyncClient, answer: httpx.Response) -> Response:
    async with contextlib.aclosing(client):
        reading = asyncio.ensure_future(answer.aread())
        leaving = asyncio.ensure_future(request.receive())
        await asyncio.wait((reading, leaving), return_when=asyncio.FIRST_COMPLETED)
        leaving.cancel()
        if not reading.done():
            reading.cancel()
            await asyncio.wait((reading,))
            return Response(status_code=499)  # nobody reads it
        return Response(await reading, answer.status_code, dict(answer.headers))
