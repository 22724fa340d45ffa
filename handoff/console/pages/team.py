"""The team page: one's own key code, letting a colleague in, and renewing the team's key when somebody left.

The admin makes accounts; only a colleague can give the key. Both people say the six words aloud, face to face or by telephone,
and the one who lets in types what the other reads out: whoever slipped in a key of their own has other words.
"""

from __future__ import annotations

import contextlib
from datetime import datetime
from typing import Any

from sqlalchemy import Connection
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from handoff import audit, keys
from handoff.accounts import second_step
from handoff.accounts.second_step import Verdict
from handoff.accounts.sessions import Unlocked
from handoff.console import auth, forms
from handoff.console.context import context_of
from handoff.console.pages.second_step import SAID, stepped_up
from handoff.crypto import Vault
from handoff.errors import Conflict, Denied, PutBack
from handoff.team import teamwork

BATCH = 100
"""Chats that one click brings under a new team key, each in a commit of its own of some 4 ms: no child waits for it."""

WRONG_CODE = (
    "De zes woorden kloppen niet. Er is niemand toegelaten. Lees ze samen nog eens voor. Kloppen ze weer niet? "
    "Bel dan uw beheerder: misschien zit er iemand tussen."
)
NOT_YET = "Uw collega moet eerst zelf inloggen en een eigen wachtzin maken. Daarna heeft uw collega andere woorden."
SWAPPED = "De sleutel van een collega is veranderd zonder dat het mocht. Er is niets vernieuwd. Bel uw beheerder."
NOT_NOW = "Dit kan niet zolang er een oude teamsleutel is teruggezet. Er is niets veranderd."

NOTICES = {
    "toegelaten": "Uw collega kan nu meelezen.",
    "vernieuwd": "De teamsleutel is vernieuwd.",
}


def _values(tx: Connection, vault: Vault, who: Unlocked, error: str = "", notice: str = "") -> dict[str, Any]:
    return {
        "who": who, "code": keys.own_code(who).split(" "), "states": teamwork.states(tx, vault, who),
        "helpers": teamwork.helpers_of(tx, vault, who), "error": error, "notice": notice,
        "second_step": second_step.has(tx, who.person_id), "codes_left": second_step.codes_left(tx, who.person_id),
    }  # fmt: skip


async def page(request: Request) -> Response:
    """Who is in the team, who waits to be let in, and the words of one's own key."""
    asked, vault = request.query_params.get("melding", ""), context_of(request).runtime.vault
    values = await auth.act(request, lambda tx, who, _now: _values(tx, vault, who, notice=NOTICES.get(asked, "")))
    if asked == "vernieuwd" and any(state.behind for state in values["states"]):
        values["notice"] = ""  # an address that was kept from before
    return context_of(request).templates.page("team.html", values)


async def let_in(request: Request) -> Response:
    """Give the team's key to an invited colleague; the page again, with what is wrong, when that must not be."""
    vault = context_of(request).runtime.vault
    sent = await forms.fields(request)
    person_id, code = forms.public_id(sent.get("persoon", "")), sent.get("code", "")
    if (verdict := await stepped_up(request, sent.get("stap", ""))) is not Verdict.RIGHT:
        return await _refused(request, "grant", person_id, SAID[verdict])
    try:
        renewed = await auth.act(request, lambda tx, who, now: teamwork.let_in(tx, vault, who, person_id, code, now))
    except PutBack:
        return await _refused(request, "grant", person_id, NOT_NOW)
    except Denied:
        return await _refused(request, "grant", person_id, WRONG_CODE)
    except Conflict:
        return await _refused(request, "grant", person_id, NOT_YET)
    for team_id in renewed:
        await catch_up(request, team_id)
    return RedirectResponse("/team?melding=toegelaten", 303)


async def renew_key(request: Request) -> Response:
    """A new team key, and the first batch of chats under it."""
    vault = context_of(request).runtime.vault
    sent = await forms.fields(request)
    team_id, epoch = forms.public_id(sent.get("team", "")), sent.get("sleutel", "")
    if not (epoch.isascii() and epoch.isdigit() and len(epoch) < 9):
        raise HTTPException(400)
    if (verdict := await stepped_up(request, sent.get("stap", ""))) is not Verdict.RIGHT:
        return await _refused(request, "rotate", team_id, SAID[verdict])
    try:
        await auth.act(request, lambda tx, who, now: teamwork.rotate(tx, vault, who, team_id, int(epoch), now))
    except PutBack:
        return await _refused(request, "rotate", team_id, NOT_NOW)
    except Denied:
        return await _refused(request, "rotate", team_id, SWAPPED)
    return await _go_on(request, team_id)


async def go_on(request: Request) -> Response:
    """The next batch of a renewal that is not finished, by whichever member."""
    return await _go_on(request, forms.public_id((await forms.fields(request)).get("team", "")))


async def _go_on(request: Request, team_id: str) -> Response:
    done = await catch_up(request, team_id)
    return RedirectResponse("/team?melding=vernieuwd" if done else "/team", 303)


async def catch_up(request: Request, team_id: str) -> bool:
    """Bring chats under the team's key in force, `BATCH` at most. False while some are not: the page offers to go on."""
    vault = context_of(request).runtime.vault
    left = await auth.read(request, lambda tx, who, _now: teamwork.behind(tx, who, team_id))
    for conversation_id in left[:BATCH]:
        with contextlib.suppress(Denied):  # its expiry day is over: retention removes it
            await auth.act(request, _rewrap(vault, conversation_id))
    return await auth.act(request, lambda tx, who, _now: teamwork.finish(tx, who, team_id))


def _rewrap(vault: Vault, conversation_id: str) -> auth.Action[None]:
    return lambda tx, who, _now: teamwork.rewrap(tx, vault, who, conversation_id)


async def _refused(request: Request, action: str, object_id: str, error: str) -> Response:
    vault = context_of(request).runtime.vault

    def note(tx: Connection, who: Unlocked, now: datetime) -> dict[str, Any]:
        audit.note(
            tx, vault, now=now, municipality_id=who.municipality_id, person_id=who.person_id, action=action, object_id=object_id,
            result="denied",
        )  # fmt: skip
        return _values(tx, vault, who, error=error)

    return context_of(request).templates.page("team.html", await auth.act(request, note), status=422)
