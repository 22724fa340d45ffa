"""What the members of a team do for each other: let a colleague in, and renew the team's key when somebody left.

Each function is one use case in one transaction with its audit line, as in `handoff.confidant`. All raise `NotFound` for a
team or person that is not this person's to touch.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from handoff import audit, keys
from handoff.accounts.sessions import Unlocked
from handoff.crypto import Vault
from handoff.errors import Conflict, NotFound
from handoff.events import announce, team_topic
from handoff.models import conversation, team
from handoff.team import access, people
from handoff.team.access import MyTeam
from handoff.team.people import Member


@dataclass(frozen=True, slots=True)
class TeamState:
    """A team as its members see it."""

    team: MyTeam
    """Which team."""
    epoch: int
    """The number of the key that is in force."""
    readers: list[Member]
    """Those who can read."""
    invited: list[Member]
    """Those who wait for a colleague's grant."""
    left: list[Member]
    """Those who can no longer sign in, but held the key that is in force: it must be renewed."""
    chats: int
    """How many chats the team has."""
    put_back: bool
    """Somebody put an older key back: nothing is sealed or opened until it is known why."""
    behind: int
    """How many of them are still under an older key: above zero a renewal is not finished."""


def states(tx: Connection, vault: Vault, who: Unlocked) -> list[TeamState]:
    """Return one for each of this person's teams; empty for somebody who waits to be let in."""
    return [_state(tx, vault, mine) for mine in access.teams_of(tx, who)]


def _state(tx: Connection, vault: Vault, mine: MyTeam) -> TeamState:
    everyone = people.of_team(tx, vault, mine.id)
    active = [member for member in everyone if not member.disabled and member.role == "confidant"]
    holders = people.holders(tx, mine.id)
    count = sa.select(sa.func.count()).select_from(conversation).where(conversation.c.team_id == mine.id)
    return TeamState(
        team=mine,
        epoch=mine.epoch,
        put_back=keys.is_put_back(vault, mine.id, mine.epoch),
        readers=[member for member in active if member.granted],
        invited=[member for member in active if not member.granted],
        left=[member for member in everyone if member.disabled and member.id in holders],
        chats=tx.execute(count).scalar_one(),
        behind=len(keys.to_rewrap(tx, mine.id)),
    )


def helpers_of(tx: Connection, vault: Vault, who: Unlocked) -> list[str]:
    """Return the first names of those who can let this person in."""
    helpers = {
        member.id: member.first_name
        for team_id in people.invited_to(tx, who.person_id)
        for member in people.of_team(tx, vault, team_id)
        if member.granted and not member.disabled and not member.must_renew
    }
    return sorted(helpers.values())


def let_in(tx: Connection, vault: Vault, who: Unlocked, person_id: str, code: str, now: datetime) -> list[str]:
    """Give the team's key to an invited colleague whose six words were typed as they read them out.

    Somebody who was let in before lost that key, perhaps to another: then the team gets a new one. Returns the teams that did,
    whose chats must be brought along (`behind`).

    Raises `Denied` for other words, and `Conflict` while the colleague still has the passphrase that somebody printed: their
    key, and so the words, are not their own yet.
    """
    found = {state.team.id: member for state in states(tx, vault, who) for member in state.invited if member.id == person_id}
    if not found:
        raise NotFound("no such invited person")
    if any(member.must_renew for member in found.values()):
        raise Conflict("this person has not chosen a passphrase of their own yet")
    renewed = [team_id for team_id, member in found.items() if member.again]
    for team_id in renewed:
        keys.rotate(tx, vault, by=who, team_id=team_id)
    keys.grant(tx, vault, by=who, person_id=person_id, code=code, now=now)
    for mine in access.teams_of(tx, who):
        announce(tx, team_topic(mine.id), "members")
    for team_id in renewed:
        _note(tx, vault, who, now, "rotate", team_id)
    _note(tx, vault, who, now, "grant", person_id)
    return renewed


def rotate(tx: Connection, vault: Vault, who: Unlocked, team_id: str, epoch: int, now: datetime) -> bool:
    """Put a new team key in force for everyone who may still read; whoever was disabled does not get it.

    `epoch` is the one that the person saw: False, and nothing happens, when somebody was first. Afterwards every chat of
    `behind` is brought along, one commit each. Raises `Denied` when any member's key was swapped.
    """
    _mine(tx, who, team_id)
    if _epoch(tx, team_id, lock=True) != epoch:
        return False
    keys.rotate(tx, vault, by=who, team_id=team_id)
    _note(tx, vault, who, now, "rotate", team_id)
    return True


def behind(tx: Connection, who: Unlocked, team_id: str) -> list[str]:
    """Return the chats that a renewal has not reached yet, the liveliest first."""
    _mine(tx, who, team_id)
    return keys.to_rewrap(tx, team_id)


def rewrap(tx: Connection, vault: Vault, who: Unlocked, conversation_id: str) -> None:
    """Bring one chat under the team's new key. Raises `Denied` for a chat that cannot be opened any more: skip it."""
    keys.rewrap(tx, vault, by=who, conversation_id=conversation_id)


def finish(tx: Connection, who: Unlocked, team_id: str) -> bool:
    """Forget the older keys. False, and nothing happens, while a chat still needs one."""
    _mine(tx, who, team_id)
    return keys.finish_rotation(tx, team_id)


def _mine(tx: Connection, who: Unlocked, team_id: str) -> None:
    if team_id not in {mine.id for mine in access.teams_of(tx, who)}:
        raise NotFound("no such team")


def _epoch(tx: Connection, team_id: str, *, lock: bool = False) -> int:
    query = sa.select(team.c.epoch).where(team.c.id == team_id)
    return int(tx.execute(query.with_for_update() if lock else query).scalar_one())


def _note(tx: Connection, vault: Vault, who: Unlocked, now: datetime, action: str, object_id: str) -> None:
    gemeente = who.municipality_id
    audit.note(tx, vault, now=now, municipality_id=gemeente, person_id=who.person_id, action=action, object_id=object_id)
