"""The web page as a registered channel. The child's server itself is started by `bot.serve`: there is nothing else to open."""

from __future__ import annotations

from bot.channels.registration import Registration
from bot.channels.web.spec import SPEC

WEB = Registration(SPEC)
