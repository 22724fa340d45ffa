"""The pages themselves, and the form that does everything without JavaScript: a whole page back after every press."""

from __future__ import annotations

import gzip
import hmac
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bot.channels.web.api import slug_of
from bot.channels.web.chats import Chats, View, is_message_id, new_token, read_token
from bot.channels.web.labels import LABELS
from bot.channels.web.lanes import Crowded
from bot.channels.web.pages import NEUTRAL_EXIT, Draft, Page, Pages, ended_text, erased_text
from config.schema import Municipality
from handoff.asgi.errors import log_error
from handoff.chats.conversation import Ended, new_id
from handoff.errors import HandoffError, NotFound, StoreUnavailable

_CLEAR = '"cache", "storage", "cookies"'
_FIELDS = 8


def page_response(request: Request, page: Page, status: int = 200) -> Response:
    """A page, packed when the browser can unpack it and nothing secret is inside."""
    body = page.html.encode("utf-8", "replace")
    headers = {"Content-Security-Policy": page.policy, "Vary": "Accept-Encoding"}
    if not page.secret and "gzip" in request.headers.get("accept-encoding", ""):
        body = gzip.compress(body, 9, mtime=0)
        headers["Content-Encoding"] = "gzip"
    return Response(body, status, headers, "text/html")


class Forms:
    """The pages and the form behind them."""

    def __init__(self, chats: Chats, pages: Pages, bare: Callable[[str], bytes], *, origin: str, text_limit: int) -> None:
        """Serve them. `bare` makes a page with a text when no other can be made; `text_limit` is in characters."""
        self._origin = origin
        self._chats = chats
        self._pages = pages
        self._bare = bare
        self._text_limit = text_limit

    def routes(self) -> list[Route]:
        """What is served. The exit comes before the gemeenten: none may be called `weg` or `api`."""
        return [
            Route("/", self.start, methods=["GET", "POST"]),
            Route("/weg", self.leave, methods=["GET"]),
            Route("/weg/{slug}", self.leave, methods=["GET"]),
            Route("/{slug}", self.show, methods=["GET"]),
            Route("/{slug}", self.press, methods=["POST"]),
            Route("/{slug}/", self.show, methods=["GET"]),
        ]

    async def start(self, request: Request) -> Response:
        """Choose a gemeente. What is searched for goes in the body: nothing in the address tells."""
        query = (await _fields(request)).get("q") if request.method == "POST" else None
        return page_response(request, self._pages.start(query if isinstance(query, str) else None))

    async def leave(self, request: Request) -> Response:
        """The quick exit without JavaScript: forget what the browser kept for this site, and show a neutral one."""
        found = self._chats.runtime.configuration.municipalities.get(request.path_params.get("slug", ""))
        target = found.exit_url if found else NEUTRAL_EXIT
        return RedirectResponse(target, 303, {"Clear-Site-Data": _CLEAR})

    async def show(self, request: Request) -> Response:
        """The child's page; an unknown address gives the numbers and a search, with status 404."""
        slug = slug_of(request)
        municipality = self._find(slug)
        if municipality is None:
            return page_response(request, self._pages.unknown(slug), 404)
        if request.url.path != f"/{municipality.id}":
            return RedirectResponse(f"/{municipality.id}", 307)
        return page_response(request, self._pages.chat(municipality, on_duty=await self._chats.on_duty(municipality.id)))

    def _find(self, slug: str) -> Municipality | None:
        """A gemeente, also when somebody copied its address from the sticker with capitals."""
        known = self._chats.runtime.configuration.municipalities
        return known.get(slug) or known.get(slug.strip().lower())

    async def press(self, request: Request) -> Response:
        """Send, look again, or erase."""
        municipality = self._find(slug_of(request))
        if _foreign(request, self._origin):
            return page_response(request, self._pages.unknown(slug_of(request)), 404)
        form = await _fields(request)
        draft = _draft(form)
        try:
            if municipality is None:
                return page_response(request, self._pages.unknown(slug_of(request), draft.text), 404)
            return await self._answer(request, municipality, form, draft)
        except Exception as error:  # noqa: BLE001 (even our own page failed: numbers and text, from nothing)
            log_error(error)
            return Response(self._bare(draft.text), 500, media_type="text/html")

    async def _answer(self, request: Request, municipality: Municipality, form: FormData, draft: Draft) -> Response:
        """Do what was asked. Whatever goes wrong: what was typed is in the box again."""
        erasing = form.get("action") == "erase"
        try:
            if any(not isinstance(value, str) for value in form.values()):
                return await self._without_files(request, municipality, draft)
            return await self._do(request, municipality, form, draft)
        except Ended as ended:
            notice = ended_text(self._pages.words(municipality, None), ended.days)
            return await self._begin(request, municipality, Draft(new_token(), draft.text), status=404, notice=notice)
        except NotFound:
            text = "" if erasing else draft.text
            return await self._begin(request, municipality, Draft(new_token(), text), status=404)
        except Exception as error:  # noqa: BLE001 (a fault of ours is no reason to lose words)
            return self._kept(request, municipality, draft, _status_of(error), erasing=erasing)

    async def _do(self, request: Request, municipality: Municipality, form: FormData, draft: Draft) -> Response:
        token, chosen = read_token(draft.token), form.get("say")
        if form.get("action") == "erase":
            return await self._erase(request, municipality, token)
        if form.get("action") == "refresh":
            view = await self._chats.look(municipality.id, token, after=0)
            return self._show(request, municipality, view, draft)
        text = chosen if isinstance(chosen, str) else draft.text
        if len(text) > self._text_limit:
            return await self._too_long(request, municipality, token, draft)
        view = await self._chats.send(municipality.id, token, message_id=_own_id(draft, token, text), text=text, after=None)
        if not view.chat.whole:  # the same words pressed again are the same message
            raise StoreUnavailable("the chat cannot be read now")
        rest = draft.text if isinstance(chosen, str) else ""
        return self._show(request, municipality, view, Draft(draft.token, rest))

    def _show(
        self, request: Request, municipality: Municipality, view: View, draft: Draft, *, notice: str = "", status: int = 200
    ) -> Response:
        page = self._pages.chat(municipality, on_duty=view.chat.on_duty, draft=draft, view=view, notice=notice)
        return page_response(request, page, status)

    async def _too_long(self, request: Request, municipality: Municipality, token: bytes, draft: Draft) -> Response:
        notice = self._pages.words(municipality, None).say("utter_too_long")
        try:
            view = await self._chats.look(municipality.id, token, after=0)
        except NotFound:  # nothing was sent yet
            there = await self._chats.on_duty(municipality.id)
            page = self._pages.chat(municipality, on_duty=there, draft=draft, notice=notice)
            return page_response(request, page, 422)
        return self._show(request, municipality, view, draft, notice=notice, status=422)

    async def _erase(self, request: Request, municipality: Municipality, token: bytes) -> Response:
        was_read: bool | None = None
        with suppress(NotFound):  # nothing was sent yet, or it was erased before: it is gone either way
            was_read = await self._chats.erase(municipality.id, token)
        return await self._begin(request, municipality, Draft(new_token()), was_read=was_read)

    async def _begin(
        self,
        request: Request,
        municipality: Municipality,
        draft: Draft,
        *,
        status: int = 200,
        was_read: bool | None = None,
        notice: str = "",
    ) -> Response:
        """There is no chat any more: a new one can begin, with what was typed."""
        there = await self._chats.on_duty(municipality.id)
        notice = notice or erased_text(self._pages.words(municipality, there), was_read=was_read)
        page = self._pages.chat(municipality, on_duty=there, draft=draft, notice=notice)
        return page_response(request, page, status)

    async def _without_files(self, request: Request, municipality: Municipality, draft: Draft) -> Response:
        there = await self._chats.on_duty(municipality.id)
        notice = self._pages.words(municipality, there).say("utter_no_files")
        return page_response(request, self._pages.chat(municipality, on_duty=there, draft=draft, notice=notice), 400)

    def _kept(self, request: Request, municipality: Municipality, draft: Draft, status: int, *, erasing: bool) -> Response:
        """Nothing was stored: who can be called, and the text still in the box, under the same id."""
        notice = self._pages.words(municipality, None).say("utter_page_not_erased" if erasing else "utter_trouble")
        return page_response(request, self._pages.chat(municipality, on_duty=None, draft=draft, notice=notice), status)

    def too_large(self, request: Request) -> Response:
        """A form of more bytes than are read. No box of ours can hold so much: the page's `maxlength` is below it."""
        return page_response(request, self._pages.trouble(LABELS["too_large"]), 413)


def _draft(form: FormData) -> Draft:
    """What the form holds; a browser sends line ends as CR LF, the page shows LF."""
    token, text, message_id = (form.get(name) for name in ("token", "text", "id"))
    draft = Draft(token if isinstance(token, str) else "", text.replace("\r\n", "\n") if isinstance(text, str) else "")
    return replace(draft, message_id=str(message_id) if is_message_id(message_id) else new_id())


def _status_of(error: Exception) -> int:
    """What to answer; a fault is logged, a crowd is not: it may be thousands a second."""
    if isinstance(error, Crowded):
        return 429
    log_error(error)
    return 503 if isinstance(error, HandoffError) else 500


def _foreign(request: Request, own: str) -> bool:
    """Another site made this browser send the form: its maker would know the token, and read along.

    An older browser says only the origin: `null` with our own forms too, because our pages tell no referrer.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin", "null")
    if site is not None:
        return site not in ("same-origin", "none")
    return origin not in ("null", own) and origin.partition("://")[2] != request.headers.get("host")


async def _fields(request: Request) -> FormData:
    """The fields of a form; a file in it is parsed, to be refused. Raises `HTTPException` 400 or 415 for what is no form."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("multipart/form-data", "application/x-www-form-urlencoded"):
        raise HTTPException(415)
    form = await request.form(max_files=_FIELDS, max_fields=_FIELDS)
    await form.close()  # the fields stay, what a file held goes
    return form


def _own_id(draft: Draft, token: bytes, text: str) -> str:
    """The id of this form with these words: the same form sent twice is one message, but changed words are another.

    After a failure nobody knows whether it was stored, and a child may change what is in the box. Keyed with the token, which
    is stored nowhere, so that the id tells nothing of the words.
    """
    mark = hmac.new(token, text.encode("utf-8", "surrogatepass"), "sha256").hexdigest()[:16]
    return f"{draft.message_id[:32]}-{mark}"
