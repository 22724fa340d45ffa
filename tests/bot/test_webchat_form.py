"""The page without JavaScript: everything works by form, a whole page comes back, and what was typed is never lost."""

from __future__ import annotations

import html
import re

import httpx
import pytest
from structlog.testing import capture_logs

from config.intents import Urgency
from handoff.models import conversation, message
from nlu.understanding import Understanding
from tests.bot.web import Site, new_token
from tests.make import CITY, House, rows

MARK = "zeldzaamwoord"


def hidden(answer: httpx.Response, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', answer.text)
    assert found, f"no field {name}"
    return found.group(1)


def typed(answer: httpx.Response) -> str:
    """What stands in the box."""
    found = re.search(r"<textarea[^>]*>(.*?)</textarea>", answer.text, re.DOTALL)
    assert found, "no box"
    return html.unescape(found.group(1))


def bubbles(answer: httpx.Response) -> list[str]:
    """The words of every message on the page."""
    found = re.findall(r'<p class="words"[^>]*>(.*?)</p>', answer.text, re.DOTALL)
    return [html.unescape(re.sub(r"<[^>]+>", "", words)) for words in found]


def test_a_child_without_javascript_writes_and_reads_the_answer(site: Site) -> None:
    page = site.ask("GET", f"/{CITY}")
    token, first_id = hidden(page, "token"), hidden(page, "id")
    answer = site.form(token=token, id=first_id, text="hoi", action="send")
    assert answer.status_code == 200
    assert bubbles(answer)[0] == "hoi"
    assert len(bubbles(answer)) == 4
    assert 'href="tel:08000432" dir="ltr">0800-0432</a>' in answer.text
    assert typed(answer) == ""
    assert hidden(answer, "token") == token
    assert hidden(answer, "id") != first_id

    site.write(site.claim(), "Hoi, met Sanne.")
    again = site.form(token=token, id=hidden(answer, "id"), text="", action="refresh")
    assert bubbles(again)[-1] == "Hoi, met Sanne."
    assert "Een mens leest nu mee: Sanne." in again.text
    assert [row.role for row in rows(site.house, message)].count("child") == 1, "looking again sent something"


def test_pressing_twice_or_going_back_sends_once(site: Site) -> None:
    token = new_token()
    once = site.form(token=token, id="m1", text="hoi", action="send")
    twice = site.form(token=token, id="m1", text="hoi", action="send")
    assert bubbles(once) == bubbles(twice)
    assert [row.role for row in rows(site.house, message)].count("child") == 1


def test_a_quick_reply_is_sent_and_the_typed_text_stays(site: Site) -> None:
    answer = site.form(token=new_token(), id="m1", text="ik was nog aan het typen", say="Ik wil een mens")
    assert bubbles(answer)[0] == "Ik wil een mens"
    assert typed(answer) == "ik was nog aan het typen"


def test_too_long_a_text_stays_in_the_box(site: Site) -> None:
    token = new_token()
    site.form(token=token, id="m1", text="hoi", action="send")
    answer = site.form(token=token, id="m2", text="a" * 4001, action="send")
    assert answer.status_code == 422
    assert typed(answer) == "a" * 4001
    assert "te lang" in answer.text
    assert len(bubbles(answer)) == 4
    assert site.form(token=new_token(), id="m1", text="a" * 4001, action="send").status_code == 422


EMOJI = "\U0001f622"
LONGEST = {"letters": "a" * 4000, "emoji": EMOJI * 4000, "Chinese": "\u4e2d" * 4000, "lines": "\r\n" * 4000, "quotes": '"' * 4000}


@pytest.mark.parametrize("text", LONGEST.values(), ids=LONGEST)
@pytest.mark.parametrize("encoding", ["multipart", "old"])
def test_the_longest_text_that_is_allowed_fits_in_a_form(site: Site, text: str, encoding: str) -> None:
    fields = {"token": new_token(), "id": "m1", "text": text, "action": "send"}
    sent = {"files": {name: (None, value) for name, value in fields.items()}} if encoding == "multipart" else {"data": fields}
    assert site.ask("POST", f"/{CITY}", **sent).status_code == 200
    assert site.look(fields["token"]).json()["messages"][0]["text"] == text.replace("\r\n", "\n")


@pytest.mark.parametrize(
    "text", ["a" * 4000, EMOJI * 4000, "\x01" * 4000, "\ud83d" * 4000], ids=["letters", "emoji", "control", "halves"]
)
def test_the_longest_text_that_is_allowed_fits_in_the_pages_own_request(site: Site, text: str) -> None:
    assert site.send(new_token(), text).status_code == 200


def test_no_box_holds_more_than_a_form_carries(site: Site) -> None:
    """So a form is never too large to be read, and whatever was in the box comes back."""
    page = site.ask("GET", f"/{CITY}").text
    found = re.search(r'<textarea[^>]* maxlength="(\d+)"', page)
    assert found
    for letter in ("\u4e2d", "a"):
        full = letter * int(found.group(1))
        answer = site.form(token=new_token(), id="m1", text=full, say="Ik wil een mens" * 10, action="send" * 10)
        assert answer.status_code == 200
        assert typed(answer) == full
    answer = site.form(token=new_token(), id="m1", text="b" * 17_000, action="send")
    assert (answer.status_code, typed(answer)) == (422, "b" * 17_000)


def test_line_ends_come_back_as_they_were_typed(site: Site) -> None:
    token = new_token()
    site.form(token=token, id="m1", text="een\r\ntwee", action="send")
    assert site.look(token).json()["messages"][0]["text"] == "een\ntwee"


@pytest.mark.parametrize("text", ["\nhoi", "</textarea><script>alert(1)</script>", "{{7*7}}", "a\x00b", "\u202eabc", "&lt;"])
def test_what_could_not_be_sent_comes_back_as_text(site: Site, text: str) -> None:
    (site.house.folder / "praat.db").unlink()
    answer = site.form(token=new_token(), id="m1", text=text, action="send")
    assert answer.status_code == 503
    assert typed(answer).removeprefix("\n" if text.startswith("\n") else "") == text.replace("\x00", "\ufffd")
    assert "<script>alert" not in answer.text


def test_a_page_without_its_keys_does_not_invite_to_type(site: Site) -> None:
    assert "Typen mag wel" in site.ask("GET", f"/{CITY}").text
    keys = site.house.folder / "keys"
    keys.rename(site.house.folder / "away")
    broken = site.ask("GET", f"/{CITY}").text
    assert "Typen mag wel" not in broken
    assert "ik bewaar nu niks" in broken
    assert 'href="tel:112"' in broken


def test_an_erasure_that_failed_never_sounds_like_one_that_was_done(site: Site) -> None:
    token = new_token()
    site.form(token=token, id="m1", text=MARK, action="send")
    (site.house.folder / "praat.db").unlink()
    answer = site.form(token=token, id="m2", text="", action="erase")
    assert answer.status_code == 503
    assert "Misschien is nog niet alles weg" in answer.text
    assert "bewaar nu niks" not in answer.text.split("<main")[1].split("</main>")[0]
    assert hidden(answer, "token") == token, "it can be tried again"
    assert 'href="tel:112"' in answer.text


def test_without_a_database_the_text_stays_and_the_page_says_who_to_call(site: Site) -> None:
    token = new_token()
    (site.house.folder / "praat.db").unlink()
    with capture_logs() as logged:
        answer = site.form(token=token, id="m7", text=MARK, action="send")
    assert answer.status_code == 503
    assert (typed(answer), hidden(answer, "token"), hidden(answer, "id")) == (MARK, token, "m7")
    assert 'href="tel:112"' in answer.text
    assert 'href="tel:08000432"' in answer.text
    assert [entry["kind"] for entry in logged] == ["StoreUnavailable"]
    assert MARK not in str(logged)


def test_a_fault_of_ours_keeps_the_text_too(sqlite_house: House) -> None:
    site = Site(sqlite_house)

    def broken_at_writing() -> object:
        raise LookupError(MARK)

    token, clock = new_token(), site.house.clock
    calls = 0

    def clock_that_breaks_once() -> object:
        nonlocal calls
        calls += 1
        return broken_at_writing() if calls == 1 else clock()

    site.house.runtime.clock = clock_that_breaks_once  # type: ignore[assignment]
    with capture_logs() as logged:
        answer = site.form(token=token, id="m1", text=MARK, action="send")
    assert answer.status_code == 500
    assert typed(answer) == MARK
    assert [entry["kind"] for entry in logged] == ["LookupError"]
    assert MARK not in str(logged)


def test_the_text_is_on_the_page_when_even_our_own_page_fails(site: Site) -> None:
    runtime = site.house.runtime
    script = runtime.configuration.script
    runtime.configuration = runtime.configuration.model_copy(update={"script": script.model_copy(update={"utterances": {}})})
    with capture_logs() as logged:
        answer = site.form(token=new_token(), id="m1", text=f"\n<b>{MARK}\x00", action="send")
    assert answer.status_code == 500
    assert typed(answer) == f"\n\n<b>{MARK}\ufffd"  # the first line end is HTML's
    assert 'href="tel:112"' in answer.text
    assert "<script" not in answer.text
    assert MARK not in str(logged)


def test_erasing_gives_a_new_empty_page_with_another_token(site: Site) -> None:
    token = new_token()
    site.form(token=token, id="m1", text=MARK, action="send")
    answer = site.form(token=token, id="m2", text="", action="erase")
    assert "Alles is hier nu weg" in answer.text
    assert MARK not in answer.text
    assert hidden(answer, "token") != token
    assert rows(site.house, conversation) == []
    assert site.form(token=token, id="m3", text="", action="refresh").status_code == 404


def test_a_wrong_token_and_none_are_one_page_that_keeps_the_text(site: Site) -> None:
    given = ("", "x", "=" * 43, new_token())
    answers = [site.form(text=MARK, action="refresh", id="m1", token=token) for token in given]
    assert {answer.status_code for answer in answers} == {404}
    fresh = {answer.text.replace(hidden(answer, "token"), "").replace(hidden(answer, "id"), "") for answer in answers}
    assert len(fresh) == 1
    assert {typed(answer) for answer in answers} == {MARK}
    assert fresh.pop().count(MARK) == 1
    assert len({hidden(answer, "token") for answer in answers} - set(given)) == len(given)
    assert 'href="tel:112"' in answers[0].text
    again = site.form(text=typed(answers[3]), action="send", id=hidden(answers[3], "id"), token=hidden(answers[3], "token"))
    assert bubbles(again)[0] == MARK


def test_what_was_typed_comes_back_where_there_is_no_such_gemeente(site: Site) -> None:
    fields = {"token": new_token(), "id": "m1", "text": f"</textarea>{MARK}", "action": "send"}
    answer = site.form("/nergens", **fields)
    assert (answer.status_code, typed(answer)) == (404, f"</textarea>{MARK}")
    foreign = site.ask(
        "POST", "/nergens", headers={"Sec-Fetch-Site": "cross-site"}, files={k: (None, v) for k, v in fields.items()}
    )
    assert foreign.status_code == 404
    assert MARK not in foreign.text


def test_a_form_of_another_site_is_refused(site: Site) -> None:
    fields = {"token": (None, new_token()), "id": (None, "m1"), "text": (None, "hoi"), "action": (None, "send")}
    for origin in ("cross-site", "same-site"):
        answer = site.ask("POST", f"/{CITY}", headers={"Sec-Fetch-Site": origin}, files=fields)
        assert answer.status_code == 404
    assert rows(site.house, message) == []


@pytest.mark.parametrize("origin", ["https://evil.example", "http://evil.example:8080", "https://praat.example.evil.example"])
def test_a_form_of_another_site_is_refused_from_an_older_browser_too(site: Site, origin: str) -> None:
    fields = {"token": (None, new_token()), "id": (None, "m1"), "text": (None, "hoi"), "action": (None, "send")}
    answer = site.ask("POST", f"/{CITY}", headers={"Origin": origin}, files=fields)
    assert answer.status_code == 404
    assert rows(site.house, message) == []


def test_our_own_form_is_taken_from_an_older_browser(site: Site) -> None:
    own = f"http://{site.ask('GET', f'/{CITY}').request.url.netloc.decode()}"
    for number, origin in enumerate(("null", own)):
        fields = {"token": (None, new_token()), "id": (None, f"m{number}"), "text": (None, "hoi"), "action": (None, "send")}
        assert site.ask("POST", f"/{CITY}", headers={"Origin": origin}, files=fields).status_code == 200


def test_a_file_is_refused_kindly(site: Site) -> None:
    answer = site.ask("POST", f"/{CITY}", data={"text": "kijk"}, files={"photo": ("foto.jpg", MARK.encode(), "image/jpeg")})
    assert (answer.status_code, typed(answer)) == (400, "kijk")
    assert "foto" in answer.text
    assert MARK not in answer.text
    assert 'href="tel:08000432"' in answer.text
    assert site.ask("POST", f"/{CITY}", content=b"hoi", headers={"Content-Type": "text/plain"}).status_code == 415


def test_a_form_in_the_old_encoding_works_as_well(site: Site) -> None:
    answer = site.ask("POST", f"/{CITY}", data={"token": new_token(), "id": "m1", "text": "één", "action": "send"})
    assert bubbles(answer)[0] == "één"


def test_the_answer_to_a_form_is_never_packed(site: Site) -> None:
    headers = {"Accept-Encoding": "gzip"}
    assert site.ask("GET", f"/{CITY}", headers=headers).headers["content-encoding"] == "gzip"
    fields = {"token": (None, new_token()), "id": (None, "m1"), "text": (None, "hoi"), "action": (None, "send")}
    assert "content-encoding" not in site.ask("POST", f"/{CITY}", headers=headers, files=fields).headers


def test_arabic_reads_from_the_right_and_a_flood_of_marks_stays_small(sqlite_house: House) -> None:
    site = Site(sqlite_house, lambda _text: Understanding("greet", 0.9, Urgency.NORMAL, "ar"))
    answer = site.form(token=new_token(), id="m1", text="z" + "\u0335" * 300 + "\ud7ff", action="send")
    assert 'dir="rtl" lang="ar"' in answer.text
    assert 'dir="auto" lang=""' in answer.text
    assert bubbles(answer)[0] == "z" + "\u0335" * 4 + "\ud7ff"


def test_changed_words_under_the_same_id_are_another_message(site: Site) -> None:
    """After a failure that was none, the form comes back with its id; what the child changed in it must not be dropped."""
    token = new_token()
    for text in ("hoi", "ik wil dat iemand dit leest", "ik wil dat iemand dit leest"):
        answer = site.form(token=token, id="m1", text=text, action="send")
    assert bubbles(answer).count("hoi") == 1
    assert bubbles(answer).count("ik wil dat iemand dit leest") == 1
