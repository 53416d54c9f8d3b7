"""What an operator sees of a long step: a bar on a terminal, lines now and then in a pipe."""

from __future__ import annotations

import io

import pytest

from ops.migrate.journal import Journal
from ops.migrate.plan import STEPS
from ops.migrate.report import Status, status_as_text
from ops.migrate.screen import LINE_SECONDS, Terminal


class Tty(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _a_plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")


def test_a_pipe_gets_the_first_count_one_now_and_then_and_the_last() -> None:
    stream, now = io.StringIO(), 0.0
    with Terminal(stream, clock=lambda: now).counting("clients moved") as count:
        for done in range(31):
            now = done
            count(done, 30)
    step = int(LINE_SECONDS)
    assert stream.getvalue().splitlines() == [
        f"  clients moved: {done} of 30" for done in (0, step, 2 * step, 3 * step)
    ]


def _interrupted(terminal: Terminal, *counts: int) -> None:
    """Count so far, and be stopped with Ctrl-C."""
    with terminal.counting("rows saved") as count:
        for done in counts:
            count(done, None)
        raise KeyboardInterrupt


def test_a_pipe_gets_the_last_count_also_of_a_step_that_was_interrupted() -> None:
    stream = io.StringIO()
    with pytest.raises(KeyboardInterrupt):
        _interrupted(Terminal(stream, clock=lambda: 0.0), 1, 2)
    assert stream.getvalue().splitlines() == ["  rows saved: 1", "  rows saved: 2"]


def test_a_count_that_does_not_change_is_said_once() -> None:
    stream, times = io.StringIO(), iter((0.0, 100.0, 200.0, 300.0))
    with Terminal(stream, clock=lambda: next(times)).counting("clients moved") as count:
        for _ in range(3):
            count(3, 9)
    assert stream.getvalue() == "  clients moved: 3 of 9\n"


def test_a_terminal_gets_a_bar_with_count_rate_and_what_remains() -> None:
    stream = Tty()
    with Terminal(stream).counting("clients moved") as count:
        for done in range(101):
            count(done, 100)
    last = stream.getvalue().splitlines()[-2]
    assert "clients moved" in last
    assert "100/100" in last
    assert "/s" in last
    assert "left" in last


def test_a_bar_that_is_interrupted_gives_the_terminal_back() -> None:
    stream = Tty()
    with pytest.raises(KeyboardInterrupt):
        _interrupted(Terminal(stream), 1)
    assert stream.getvalue().endswith("\x1b[?25h")


def test_what_looks_like_markup_is_printed_as_it_is() -> None:
    stream = io.StringIO()
    Terminal(stream).say("  ! [bold] names {x}")
    assert stream.getvalue() == "  ! [bold] names {x}\n"


# --- Status ---------------------------------------------------------------------------------------


def _status(journal: Journal, **more: object) -> str:
    given = {
        "stack": "old",
        "stack_status": "UPDATE_COMPLETE",
        "legacy_api": "pyc140yn0h",
        "connections": 12,
        "still_to_go": ("WebSocketApi",),
        "pending_change_sets": (),
        "held_by": None,
        "journal": journal,
    }
    return status_as_text(Status(**(given | more)))


def test_the_status_says_what_is_done_what_was_begun_and_what_can_be_done_now() -> None:
    journal = Journal(plan="p", done={"backup": "T1"}, doing="publish", since="T2")
    lines = _status(journal, held_by="ali@desk since T0").splitlines()
    assert lines[:2] == [
        "old (UPDATE_COMPLETE), its own API pyc140yn0h",
        "  12 connections, 1 resources to go",
    ]
    assert lines[2:5] == [
        "  1. backup    done at T1",
        "  2. publish   begun at T2, not finished",
        "  3. announce  to do",
    ]
    assert lines[-2:] == [
        "held by ali@desk since T0",
        "next: migrate apply goes on, or migrate rollback",
    ]


def test_the_status_shows_a_change_set_that_was_made_and_not_executed() -> None:
    shown = _status(Journal(plan="p"), pending_change_sets=("shared-websocket-retire-1",))
    assert "change set shared-websocket-retire-1 is there, not executed" in shown


def test_once_resources_have_left_no_rollback_is_offered() -> None:
    done = dict.fromkeys(STEPS[:4], "T")
    shown = _status(Journal(plan="p", done=done, doing="retire"), still_to_go=())
    assert shown.endswith("next: migrate apply goes on")


@pytest.mark.parametrize(
    ("journal", "said"),
    [
        (Journal(), "no migration has begun"),
        (Journal(plan="p", rolled_back="T"), "it was rolled back at T; migrate apply begins anew"),
        (Journal(plan="p", done=dict.fromkeys(STEPS, "T")), "nothing: it is done"),
    ],
)
def test_a_migration_that_is_not_underway_says_so(journal: Journal, said: str) -> None:
    assert _status(journal).splitlines()[-1].endswith(said)
