"""The mailbox, as the rest of the program knows it: it shows no buttons, takes little at a time, and deletes for an hour."""

from __future__ import annotations

from datetime import timedelta

from config.channels import Capabilities, ChannelSpec, ScriptNeeds

NAME = "echo"

SPEC = ChannelSpec(
    NAME,
    "de brievenbus",
    Capabilities(
        pushed=True,
        own_screen=False,
        buttons=False,
        sign_of_life=False,
        keeps_address=True,
        longest=200,
        deletes_for=timedelta(hours=1),
        deletes_at_once=3,
    ),
    ScriptNeeds(farewell=("utter_stopped",)),
)
