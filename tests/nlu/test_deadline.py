"""Calls with a deadline."""

from __future__ import annotations

import threading

import pytest

from nlu.deadline import Helpers, TooLateError


def test_the_answer_or_the_fault_comes_back() -> None:
    helpers = Helpers(2, name="test")
    assert helpers.call(lambda: 7, deadline_s=5) == 7
    with pytest.raises(ZeroDivisionError):
        helpers.call(lambda: 1 // 0, deadline_s=5)


def test_late_is_told_and_the_helper_comes_back_when_it_is_done() -> None:
    helpers, begun, gate = Helpers(1, name="test"), threading.Event(), threading.Event()

    def stuck() -> None:
        begun.set()
        gate.wait()

    while not begun.is_set():  # on a busy machine a call may be late before it begins
        with pytest.raises(TooLateError):
            helpers.call(stuck, deadline_s=0.01)
    with pytest.raises(TooLateError, match="busy"):
        helpers.call(lambda: 1, deadline_s=0.01)
    gate.set()
    assert helpers.call(lambda: 2, deadline_s=5) == 2


def test_many_callers_share_few_threads() -> None:
    helpers, seen = Helpers(3, name="test"), set[int]()
    callers = [
        threading.Thread(target=lambda: helpers.call(lambda: seen.add(threading.get_ident()), deadline_s=30)) for _ in range(40)
    ]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert 1 <= len(seen) <= 3
