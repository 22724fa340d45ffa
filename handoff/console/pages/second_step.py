"""The second step at the door: asking for a code, and setting up a phone. The rules: `handoff.accounts.second_step`.

While a phone is set up, the page carries its secret in a hidden field with a mark that only this server can make for this
session, as `renew` does with a passphrase: nothing is stored until a code proves that the phone has it.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import replace
from datetime import datetime

import segno
from sqlalchemy import Connection
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from handoff import audit, crypto
from handoff.accounts import second_step
from handoff.accounts.second_step import Verdict
from handoff.accounts.sessions import Unlocked
from handoff.console import auth, forms
from handoff.console.context import Context, context_of
from handoff.crypto import Vault
from handoff.display import storable
from handoff.errors import Denied

_PURPOSE = "console-second-step"
_QUIET = 4  # modules of white that a scanner needs around a QR code
SAID = {
    Verdict.WRONG: "Deze code klopt niet, of is al gebruikt. Wacht op de volgende code en typ die over.",
    Verdict.HELD: "Er waren te veel foute codes. Wacht een kwartier en probeer het dan opnieuw.",
}


async def form(request: Request) -> Response:
    """Ask for a code; who has no phone set up yet sets it up first, who owes nothing goes on."""
    who, has = await auth.act(request, lambda tx, who, _now: (who, second_step.has(tx, who.person_id)), unfinished=True)
    auth.refuse_unfinished(_as_if_passed(who))
    if not has:
        return RedirectResponse("/tweede-stap/instellen", 303)
    return _ask(context_of(request), who) if who.owes_step else RedirectResponse("/", 303)


def _ask(context: Context, who: Unlocked, error: str = "", status: int = 200) -> Response:
    return context.templates.page("second_step.html", {"who": who, "error": error}, status=status)


async def take(request: Request) -> Response:
    """Take the step with a code of the phone or a recovery code."""
    sent = await forms.fields(request)
    who, verdict = await auth.act(request, _checked(context_of(request), sent.get("code", "")), unfinished=True)
    if verdict is Verdict.RIGHT:
        return RedirectResponse("/", 303)
    return _ask(context_of(request), who, SAID[verdict], 422)


def _checked(context: Context, code: str) -> auth.Action[tuple[Unlocked, Verdict]]:
    """The verdict on a code, with its audit line. Raises `MustRenew` before the person has a key of their own."""

    def work(tx: Connection, who: Unlocked, now: datetime) -> tuple[Unlocked, Verdict]:
        auth.refuse_unfinished(_as_if_passed(who))
        verdict = second_step.check(tx, context.runtime.vault, who, code, now)
        _note(tx, context.runtime.vault, who, now, "second_step", "ok" if verdict is Verdict.RIGHT else "denied")
        return who, verdict

    return work


async def stepped_up(request: Request, code: str) -> Verdict:
    """For what must not be done at a desk that somebody left open: a code again. `RIGHT` for somebody without a second step."""
    has = await auth.read(request, lambda tx, who, _now: second_step.has(tx, who.person_id))
    return (await auth.act(request, _checked(context_of(request), code)))[1] if has else Verdict.RIGHT


async def set_up_form(request: Request) -> Response:
    """Show a new secret for a phone; each visit makes another one, and only the one that a code proves counts."""
    who, has = await auth.act(request, lambda tx, who, _now: (who, second_step.has(tx, who.person_id)), unfinished=True)
    auth.refuse_unfinished(_as_if_passed(who))
    if has and who.owes_step:
        return RedirectResponse("/tweede-stap", 303)  # a new phone is set up by who came in with the old one
    return await _show(request, who, crypto.new_totp_secret(), has=has)


async def _show(request: Request, who: Unlocked, secret: bytes, *, has: bool, error: str = "", status: int = 200) -> Response:
    context = context_of(request)
    text = crypto.totp_text(secret)
    found = context.runtime.configuration.municipalities.get(who.municipality_id)
    issuer = f"Praat erover {found.name if found else ''}".strip()
    size, path = qr(crypto.totp_address(secret, who.first_name, issuer))
    values = {
        "who": who, "has": has, "error": error, "size": size, "path": path, "secret": text, "mark": _mark(context, who, text),
        "groups": [text[at : at + 4] for at in range(0, len(text), 4)],
    }  # fmt: skip
    return context.templates.page("second_step_set_up.html", values, status=status)


async def set_up(request: Request) -> Response:
    """Store the phone when its code fits, and show the recovery codes, once."""
    context = context_of(request)
    sent = await forms.fields(request)
    text, code = storable(sent.get("geheim", "")), sent.get("code", "")

    def store(tx: Connection, who: Unlocked, now: datetime) -> tuple[Unlocked, bool, list[str] | str]:
        auth.refuse_unfinished(_as_if_passed(who))
        has = second_step.has(tx, who.person_id)
        if not hmac.compare_digest(storable(sent.get("merk", "")).encode(), _mark(context, who, text).encode()):
            raise HTTPException(400)
        if has and (
            who.owes_step or second_step.check(tx, context.runtime.vault, who, sent.get("oud", ""), now) is not Verdict.RIGHT
        ):
            return (
                who,
                has,
                "De code van uw oude telefoon klopt niet. Gebruik een code die u nog niet gebruikte, of een herstelcode.",
            )
        try:
            codes = second_step.set_up(tx, context.runtime.vault, who, _secret(text), code, now)
        except Denied:
            return who, has, "De code klopt niet. Typ de zes cijfers die uw telefoon nu toont. Staat de klok van uw telefoon goed?"
        _note(tx, context.runtime.vault, who, now, "set_up_second_step", "ok")
        return who, has, codes

    who, has, outcome = await auth.act(request, store, unfinished=True)
    if isinstance(outcome, str):
        return await _show(request, who, _secret(text), has=has, error=outcome, status=422)
    return context.templates.page("recovery_codes.html", {"who": _as_if_passed(who), "codes": outcome})


def qr(address: str) -> tuple[int, str]:
    """(modules on a side with the white around it, the dark ones as an SVG path)."""
    matrix = segno.make(address, error="m", micro=False).matrix
    dark = [(x, y) for y, row in enumerate(matrix) for x, bit in enumerate(row) if bit]
    return len(matrix) + 2 * _QUIET, "".join(f"M{x + _QUIET} {y + _QUIET}h1v1h-1z" for x, y in dark)


def _secret(text: str) -> bytes:
    """Raises `HTTPException` 400 for what is no secret of ours: its mark was ours, so this is a fault."""
    try:
        return base64.b32decode(text)
    except binascii.Error:
        raise HTTPException(400) from None


def _mark(context: Context, who: Unlocked, text: str) -> str:
    return context.runtime.vault.row_mac(_PURPOSE, who.session_id, text).hex()


def _as_if_passed(who: Unlocked) -> Unlocked:
    """The same person, of whom only a key of their own is still asked."""
    return replace(who, owes_step=False)


def _note(tx: Connection, vault: Vault, who: Unlocked, now: datetime, action: str, result: str) -> None:
    gemeente = who.municipality_id
    audit.note(tx, vault, now=now, municipality_id=gemeente, person_id=who.person_id, action=action, result=result)
