"""What the folder hands in."""

from __future__ import annotations

from bot.channels.registration import Registration
from tests.channels.echo.service import EchoSettings, open_echo
from tests.channels.echo.spec import SPEC

ECHO = Registration(SPEC, settings=EchoSettings, open=open_echo)
