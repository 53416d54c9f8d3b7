"""The bucket of messages that each connection has."""

import pytest

from lambdas import limits
from lambdas.limits import BURST, PER_SECOND, Limiter
from tests.gateway.backend import Backend


def spend(limiter: Limiter, connection_id: str, count: int, now: float = 0.0) -> list[float]:
    return [limiter.wait(connection_id, now) for _ in range(count)]


def test_a_burst_passes_and_the_flood_behind_it_does_not() -> None:
    waits = spend(Limiter(), "a", BURST + 2)
    assert waits[:BURST] == [0.0] * BURST
    assert waits[BURST:] == [1 / PER_SECOND] * 2


def test_what_is_refused_costs_nothing() -> None:
    limiter = Limiter()
    spend(limiter, "a", BURST + 1000)
    assert limiter.wait("a", 1 / PER_SECOND) == 0.0


def test_the_bucket_fills_up_and_does_not_run_over() -> None:
    limiter = Limiter()
    spend(limiter, "a", BURST)
    assert spend(limiter, "a", PER_SECOND + 1, now=1.0)[-1] > 0
    assert spend(limiter, "a", BURST + 1, now=1_000_000.0)[-1] > 0


def test_one_flood_does_not_stop_another_connection() -> None:
    limiter = Limiter()
    spend(limiter, "a", BURST + 1)
    assert limiter.wait("b", 0.0) == 0.0


def test_memory_is_bounded() -> None:
    limiter = Limiter()
    spend(limiter, "first", BURST + 1)
    for number in range(limits.CONNECTIONS):
        limiter.wait(str(number), 0.0)
    assert limiter.wait("first", 0.0) == 0.0


def test_a_flood_is_answered_with_an_error_that_says_when_to_go_on(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However slow the machine is that this runs on, the bucket does not fill meanwhile.
    monkeypatch.setattr(limits, "PER_SECOND", 0.01)
    device = backend.device()
    for number in range(BURST + 10):
        device.send("PING", requestId=number)
    device.wait_raw(BURST + 10)
    refused = device.events("ERROR")
    assert len(refused) == 10
    assert {answer["code"] for answer in refused} == {"unavailable"}
    assert all(0 < answer["retryAfterMs"] <= 100_001 for answer in refused)
    assert all("requestId" in answer for answer in refused)
    assert backend.device().ask("PING")["type"] == "PONG"
