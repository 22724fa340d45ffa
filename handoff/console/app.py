"""The console as an ASGI application: its routes, its safeguards, and a page for everything that can go wrong.

    app = console_app(runtime, origin="https://team.example.nl")

It has an origin of its own, apart from the child's page. Every handler follows one pattern: `auth.act` (or `auth.read` for a
page that refreshes itself) checks the session and runs one use case of `handoff.confidant` in one transaction.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from handoff.asgi.bodies import BodyLimitMiddleware
from handoff.asgi.errors import ErrorMiddleware
from handoff.asgi.headers import SecurityHeadersMiddleware
from handoff.asgi.security_txt import security_txt
from handoff.console.auth import LIVE, MustRenew, SignedOut, drop_cookie
from handoff.console.context import CHECK_S, ConsoleSettings, Context, context_of
from handoff.console.lanes import Crowded
from handoff.console.middleware import BODY_SECONDS, HEADERS, MAX_BODY, SameOriginMiddleware
from handoff.console.pages import chat, queue, renew, second_step, sign_in, stream, team
from handoff.console.rendering import STATIC, Templates
from handoff.errors import Conflict, HandoffError, NotFound, StoreUnavailable
from handoff.runtime import Runtime

_CHAT = "/gesprek/{handoff_id}"

_PROBLEMS = {
    400: ("Dit ging niet goed", "De server begreep niet wat uw browser stuurde. Er is niets veranderd."),
    403: ("Dit mag niet", "Deze opdracht kwam niet van een pagina van ons. Er is niets veranderd. Laad de pagina opnieuw."),
    404: ("Niet gevonden", "Deze pagina of dit gesprek is er niet. Een kind kan een gesprek ook zelf wissen."),
    405: ("Dit kan hier niet", "Ga terug naar de wachtrij."),
    408: ("Dit duurde te lang", "Er is niets veranderd. Probeer het nog eens."),
    409: ("Dit kan nu niet", "Iemand anders was eerder, of het gesprek is veranderd. Ga terug naar de wachtrij."),
    413: ("Dit is te groot", "Er is niets verstuurd. Een bericht mag 4.000 tekens lang zijn."),
    500: ("Er ging iets mis bij ons", "Probeer het nog eens. Blijft het misgaan? Bel dan uw beheerder."),
    503: ("De opslag werkt even niet", "Er is niets opgeslagen. Deze pagina probeert het zo weer."),
}  # fmt: skip

_ERASED = "Dit gesprek is weg"
_ERASED_TEXT = (
    "Het kind heeft dit gesprek gewist. De berichten zijn weg, ook voor u, en komen niet terug. Wat u las, weet u nog. Maakt u "
    "zich zorgen om dit kind? Overleg dan met een collega of met Veilig Thuis. Is er nu gevaar, bel dan 112."
)

_ENDED = "Dit gesprek is weg"
_ENDED_TEXT = (
    "De bewaartermijn was voorbij, en al zeven dagen schreef niemand iets. Daarom is dit gesprek gewist, ook voor het kind. De "
    "berichten komen niet terug. Het kind leest dat het gesprek gewist is. Het kan een nieuw gesprek beginnen."
)


def console_app(
    runtime: Runtime,
    *,
    origin: str,
    also: tuple[str, ...] = (),
    security_contact: str | None = None,
    check_s: float = CHECK_S,
) -> ASGIApp:
    """Put the console together; `origin` and `also` as in `ConsoleSettings`, `security_contact` stands in its security.txt.
    Raises `ValueError` for an origin that is none.

    Open streams look at their session every `check_s` seconds, and end when the store's hub is closed.
    """
    settings, templates = ConsoleSettings(origin.rstrip("/"), also), Templates()
    told = security_txt(security_contact, settings.origin, runtime.clock)
    app = Starlette(routes=[*told, *_routes()], exception_handlers=_handlers())
    app.state.context = Context(runtime, settings, templates, check_s)

    async def refuse(_: Request, status: int) -> Response:
        return templates.problem(status, *_PROBLEMS[status])

    limited = BodyLimitMiddleware(app, limit=MAX_BODY, seconds=BODY_SECONDS, refuse=refuse)
    guarded = SameOriginMiddleware(limited, settings=settings, refuse=refuse)
    calm = ErrorMiddleware(guarded, refuse=refuse, last_resort=_PROBLEMS[500][0].encode())
    return SecurityHeadersMiddleware(calm, headers=HEADERS, files="/static/", https=settings.secure)


def last_words() -> bytes:
    """Return a page for where the console itself is not asked: a request that is none, or no place for one more connection."""
    title, text = _PROBLEMS[500]
    head = f'<!doctype html><html lang="nl"><head><meta charset="utf-8"><title>{title}</title></head>'
    return f"{head}<body><main><h1>{title}</h1><p>{text}</p></main></body></html>".encode()


def _routes() -> list[Route | Mount]:
    return [
        Route("/", queue.page, name="queue"),
        Route("/wachtrij-deel", queue.fragment),
        Route("/dienst", queue.duty, methods=["POST"]),
        Route("/wachtrij/{handoff_id}/overnemen", queue.claim, methods=["POST"]),
        Route(_CHAT, chat.page),
        Route(f"{_CHAT}/deel", chat.fragment),
        Route(f"{_CHAT}/schrijven", chat.write, methods=["POST"]),
        Route(f"{_CHAT}/teruggeven", chat.release, methods=["POST"]),
        Route(f"{_CHAT}/overdragen", chat.transfer, methods=["POST"]),
        Route(f"{_CHAT}/afsluiten", chat.close, methods=["POST"]),
        Route("/inloggen", sign_in.form, methods=["GET"]),
        Route("/inloggen", sign_in.sign_in, methods=["POST"]),
        Route("/nieuwe-wachtzin", renew.form, methods=["GET"]),
        Route("/nieuwe-wachtzin", renew.renew, methods=["POST"]),
        Route("/tweede-stap", second_step.form, methods=["GET"]),
        Route("/tweede-stap", second_step.take, methods=["POST"]),
        Route("/tweede-stap/instellen", second_step.set_up_form, methods=["GET"]),
        Route("/tweede-stap/instellen", second_step.set_up, methods=["POST"]),
        Route("/uitloggen", sign_in.sign_out, methods=["POST"]),
        Route("/team", team.page),
        Route("/team/toelaten", team.let_in, methods=["POST"]),
        Route("/team/sleutel", team.renew_key, methods=["POST"]),
        Route("/team/sleutel/verder", team.go_on, methods=["POST"]),
        Route("/stroom", stream.stream),
        Route("/klop", stream.alive, methods=["POST"]),
        Mount("/static", GZipMiddleware(StaticFiles(directory=STATIC)), name="static"),
    ]


def _problem(request: Request, status: int, *, retry: bool = False) -> Response:
    known = status if status in _PROBLEMS else 400 if status < 500 else 500
    return context_of(request).templates.problem(status, *_PROBLEMS[known], retry=retry)


async def _http(request: Request, error: Exception) -> Response:
    return _problem(request, error.status_code if isinstance(error, HTTPException) else HTTPStatus.INTERNAL_SERVER_ERROR)


async def _handoff_error(request: Request, error: Exception) -> Response:
    match error:
        case chat.ErasedByChild():
            return context_of(request).templates.problem(404, _ERASED, _ERASED_TEXT)
        case chat.ChatEnded():
            return context_of(request).templates.problem(404, _ENDED, _ENDED_TEXT)
        case NotFound():
            return _problem(request, 404)
        case Conflict():
            return _problem(request, 409)
        case StoreUnavailable():
            return _problem(request, 503, retry=request.method == "GET")
        case _:
            return _problem(request, 409)


async def _crowded(request: Request, _error: Exception) -> Response:
    title, text = "Het is druk bij de deur", "Veel mensen loggen tegelijk in. Probeer het over een paar tellen nog eens."
    return context_of(request).templates.problem(503, title, text)


async def _signed_out(request: Request, _error: Exception) -> Response:
    if LIVE in request.headers:
        return Response(status_code=401)
    settings = context_of(request).settings
    answer = RedirectResponse("/inloggen?weg=1" if settings.cookie in request.cookies else "/inloggen", 303)
    drop_cookie(answer, settings)
    return answer


async def _must_renew(request: Request, error: Exception) -> Response:
    path = error.path if isinstance(error, MustRenew) else "/"
    return Response(status_code=401) if LIVE in request.headers else RedirectResponse(path, 303)


def _handlers() -> dict[Any, Callable[[Request, Exception], Awaitable[Response]]]:
    return {
        HTTPException: _http,
        HandoffError: _handoff_error,
        Crowded: _crowded,
        SignedOut: _signed_out,
        MustRenew: _must_renew,
        Exception: _http,
    }
