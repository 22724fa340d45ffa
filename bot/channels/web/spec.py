"""The web page, as the rest of the program knows it."""

from __future__ import annotations

from config.channels import Capabilities, ChannelSpec, ScriptNeeds

WEBCHAT = "webchat"
"""What stands in `conversation.channel`."""

CAPABILITIES = Capabilities(pushed=False, own_screen=True, buttons=True, sign_of_life=True, keeps_address=False)

_NO_MUNICIPALITY = frozenset({"utter_page_start", "utter_page_unknown_municipality"})

NEEDS = ScriptNeeds(
    prefix="utter_page_",
    utterances=(
        "utter_page_identity",
        "utter_page_numbers",
        "utter_page_duty",
        "utter_page_secrecy",
        "utter_page_no_name",
        "utter_page_no_files",
        "utter_page_exit",
        "utter_page_erase",
        "utter_page_not_erased",
        "utter_page_erased_read",
        "utter_page_erased_unread",
        "utter_page_ended",
        "utter_page_offline",
        "utter_page_unknown_municipality",
        "utter_page_start",
    ),
    names_both_lines=frozenset({"utter_page_numbers", "utter_page_unknown_municipality"}),
    says_computer=frozenset({"utter_page_identity"}),
    blind=_NO_MUNICIPALITY | {"utter_page_offline", "utter_page_numbers", "utter_page_identity"},
    without_municipality=_NO_MUNICIPALITY,
)

SPEC = ChannelSpec(WEBCHAT, "de webpagina", CAPABILITIES, NEEDS, paths=frozenset({"api", "health", "ready", "static", "weg"}))
