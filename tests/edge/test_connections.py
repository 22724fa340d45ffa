"""Who may stay connected when there are more connections than places, and for how long anybody may say nothing."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from structlog.testing import capture_logs

from bot.edge.connections import LIMIT_S, SPARE, STREAM_S, TELL_EVERY_S, UNREAD_S, Connections, Phase
from bot.edge.descriptors import LEAST, MOST, places
from bot.edge.faults import LoopFaults


@dataclass(eq=False)
class Peer:
    """A connection that notes what is done to it."""

    phase: Phase = Phase.HEAD
    done: list[str] = field(default_factory=list)

    def late(self) -> None:
        self.done.append("late")

    def cut(self) -> None:
        self.done.append("cut")


class Clock:
    """A clock that stands still until it is told."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def crowd(most: int, count: int) -> tuple[Connections, Clock, list[Peer]]:
    """A register with room for `most`, and `count` that came a second after each other."""
    clock = Clock()
    connections = Connections(most, clock)
    peers = [Peer() for _ in range(count)]
    for peer in peers:
        connections.add(peer)
        clock.now += 1
    return connections, clock, peers


def gone(peers: list[Peer]) -> list[int]:
    return [number for number, peer in enumerate(peers) if peer.done]


def test_the_oldest_silent_one_makes_room() -> None:
    connections, _, peers = crowd(3, 5)
    assert gone(peers) == [0, 1]
    assert [peer.done for peer in peers[:2]] == [["cut"], ["cut"]]
    assert len(connections) == 3


@pytest.mark.parametrize("silent", [Phase.HEAD, Phase.BODY, Phase.IDLE])
def test_one_that_is_being_answered_is_not_silent(silent: Phase) -> None:
    connections, _, peers = crowd(3, 3)
    connections.move(peers[0], Phase.WORKING)
    connections.move(peers[1], silent)
    connections.move(peers[2], Phase.IDLE)
    connections.add(Peer())
    assert gone(peers) == [1]


def test_a_letter_now_and_then_does_not_make_it_young_again() -> None:
    connections, clock, peers = crowd(2, 1)
    clock.now += LIMIT_S[Phase.HEAD] - 2
    connections.move(peers[0], Phase.HEAD)
    clock.now += 2
    connections.sweep()
    assert peers[0].done == ["late"]


@pytest.mark.parametrize("phase", [Phase.HEAD, Phase.BODY, Phase.IDLE])
def test_each_silence_has_an_end(phase: Phase) -> None:
    connections, clock, (peer,) = crowd(2, 1)
    connections.move(peer, Phase.WORKING)
    connections.move(peer, phase)
    clock.now += LIMIT_S[phase] - 1
    connections.sweep()
    assert peer.done == []
    clock.now += 1
    connections.sweep()
    assert peer.done == ["late"]
    assert len(connections) == 0


def test_a_stream_has_no_deadline() -> None:
    connections, clock, (peer,) = crowd(2, 1)
    connections.move(peer, Phase.WORKING)
    clock.now += 24 * 3600
    connections.sweep()
    assert peer.done == []


def test_who_reads_nothing_of_what_is_sent_is_given_up() -> None:
    connections, clock, peers = crowd(3, 2)
    for peer in peers:
        connections.move(peer, Phase.WORKING)
        connections.unread(peer, unread=True)
    connections.unread(peers[1], unread=False)
    clock.now += UNREAD_S
    connections.sweep()
    assert [peer.done for peer in peers] == [["cut"], []]


def test_when_all_are_being_answered_a_new_one_gets_the_numbers_and_the_first_of_those_makes_room() -> None:
    connections, _, peers = crowd(2, 2)
    for peer in peers:
        connections.move(peer, Phase.WORKING)
    late = [Peer() for _ in range(SPARE + 1)]
    for peer in late:
        connections.add(peer)
    assert {peer.phase for peer in late} == {Phase.CROWDED}
    assert gone(peers) == []
    assert gone(late) == [0]
    assert len(connections) == 2 + SPARE


def test_among_streams_alone_the_oldest_makes_room_for_a_child_that_comes_now() -> None:
    connections, clock, peers = crowd(2, 2)
    for peer in peers:
        connections.move(peer, Phase.WORKING)
    clock.now += STREAM_S
    new = Peer()
    connections.add(new)
    assert gone(peers) == [0]
    assert new.phase is Phase.HEAD


def test_what_was_cut_does_not_come_back_by_what_still_arrives() -> None:
    connections, _, peers = crowd(1, 2)
    connections.move(peers[0], Phase.WORKING)
    connections.remove(peers[0])
    assert len(connections) == 1


def test_a_flood_is_told_in_one_line_a_minute() -> None:
    connections, clock, _ = crowd(1, 500)
    with capture_logs() as lines:
        for _ in range(100):
            connections.sweep()
            connections.count("malformed")
            clock.now += 1
    assert [line["event"] for line in lines] == ["connections"] * 2
    assert lines[0]["dropped"] == 499
    assert lines[1]["malformed"] == int(TELL_EVERY_S)


@pytest.mark.parametrize(("limit", "in_use", "most"), [(1024, 40, 792), (20_000, 40, MOST), (128, 40, LEAST)])
def test_some_descriptors_are_never_a_connections(limit: int, in_use: int, most: int) -> None:
    assert places(limit, in_use) == most


def test_a_fault_of_the_loop_that_repeats_is_told_by_its_kind_and_seldom() -> None:
    clock = Clock()
    faults = LoopFaults(clock)
    with capture_logs() as lines:
        for _ in range(640):
            faults(None, {"message": "socket.accept() out of system resource", "exception": OSError(24, "Too many open files")})  # type: ignore[arg-type]
            clock.now += 1 / 32
    assert len(lines) == 2
    assert lines[1] == {"event": "loop", "log_level": "error", "kind": "OSError", "number": 24, "times": 320}
