"""The drain: batches, jitter, who is asked again, and who is left when two hours are over."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ops.errors import OperatorError
from ops.migrate.drain import (
    ASK_AGAIN_SECONDS,
    BATCH,
    CONNECTS_PER_SECOND,
    LONGEST_SECONDS,
    Left,
    OldConnections,
    drain,
)

URL = "wss://lwk0wf6rpl.execute-api.us-east-1.amazonaws.com/dev"
QUOTA = 500
"""New connections a second of an account."""


class Old:
    """The old API: its rows, its sockets, and a clock that only sleeping moves."""

    def __init__(self, *connections: str) -> None:
        self.rows = set(connections)
        self.open = set(connections)
        self.now = 0.0
        self.posts: list[tuple[float, str, int]] = []
        self.obeys: Callable[[str], bool] = lambda _: True
        self.throttled: Callable[[str], bool] = lambda _: False
        self.each_second: Callable[[], None] = lambda: None
        self.progress: list[tuple[int, int]] = []

    def get_paginator(self, _: str) -> Old:
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        return [{"Items": [{"connectionId": {"S": row}} for row in sorted(self.rows)]}]

    def post_to_connection(self, *, ConnectionId: str, Data: bytes) -> None:  # noqa: N803
        if self.throttled(ConnectionId):
            raise _error("LimitExceededException", 429)
        self.get_connection(ConnectionId=ConnectionId)
        message = json.loads(Data)
        assert (message["type"], message["url"]) == ("reconnect", URL)
        self.posts.append((self.now, ConnectionId, message["afterMs"]))
        if self.obeys(ConnectionId):
            self.rows.discard(ConnectionId)
            self.open.discard(ConnectionId)

    def get_connection(self, *, ConnectionId: str) -> None:  # noqa: N803
        if ConnectionId not in self.open:
            raise _error("GoneException", 410)

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.each_second()

    def drained(self) -> Left:
        old = OldConnections(dynamodb=self, management=self, table="t")
        return drain(
            old,
            URL,
            progress=lambda *counts: self.progress.append(counts),
            clock=lambda: self.now,
            sleep=self.sleep,
        )


def _error(code: str, status: int) -> ClientError:
    response: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "PostToConnection")


def test_reconnections_never_exceed_half_of_what_the_account_may() -> None:
    old = Old(*(f"c{number:05}" for number in range(3 * BATCH)))
    assert old.drained() == Left()
    arrivals: dict[int, int] = {}
    for at, _, after in old.posts:
        second = int(at + after / 1000)
        arrivals[second] = arrivals.get(second, 0) + 1
    assert sum(arrivals.values()) == 3 * BATCH
    assert max(arrivals.values()) < QUOTA
    assert max(after for _, _, after in old.posts) < BATCH / CONNECTS_PER_SECOND * 1000


def test_progress_ends_with_everybody_moved() -> None:
    old = Old("a", "b", "c")
    old.drained()
    assert old.progress[0] == (0, 3)
    assert old.progress[-1] == (3, 3)


def test_who_does_not_move_is_asked_again_after_two_minutes_and_not_before() -> None:
    old = Old("slow")
    old.obeys = lambda _: len(old.posts) == 2
    assert old.drained() == Left()
    first, second = (at for at, _, _ in old.posts)
    assert ASK_AGAIN_SECONDS < second - first < ASK_AGAIN_SECONDS + 10


def test_a_row_whose_connection_is_gone_is_not_waited_for() -> None:
    old = Old("there", "dead")
    old.open.discard("dead")
    assert old.drained() == Left()
    assert old.now < ASK_AGAIN_SECONDS


def test_who_connects_to_the_old_api_meanwhile_is_asked_too() -> None:
    old = Old("a")

    def arrive() -> None:
        if old.now < 3:
            late = f"late{len(old.posts)}"
            old.rows.add(late)
            old.open.add(late)

    old.each_second = arrive
    assert old.drained() == Left()
    assert {connection for _, connection, _ in old.posts} > {"a", "late1"}


def test_after_two_hours_whoever_was_there_at_the_beginning_counts_as_dead() -> None:
    old = Old("deaf")
    old.obeys = lambda _: False
    assert old.drained() == Left(dead=1, staying=0)
    assert LONGEST_SECONDS <= old.now < LONGEST_SECONDS + 10


def test_after_two_hours_whoever_came_since_and_is_connected_stays() -> None:
    old = Old("deaf")
    old.obeys = lambda _: False

    def arrive() -> None:
        if old.now > 60:
            old.rows.update({"newcomer", "left without a trace"})
            old.open.add("newcomer")

    old.each_second = arrive
    assert old.drained() == Left(dead=1, staying=1)


def test_who_could_not_be_asked_for_throttling_is_asked_in_the_next_round() -> None:
    old = Old("a", "b")
    refusals = iter((True, True))
    old.throttled = lambda connection: connection == "b" and next(refusals, False)
    assert old.drained() == Left()
    assert [connection for _, connection, _ in old.posts] == ["a", "b"]
    assert old.now < ASK_AGAIN_SECONDS


def test_throttling_of_everybody_names_the_call() -> None:
    old = Old("a", "b")
    old.throttled = lambda _: True
    with pytest.raises(OperatorError, match=r"PostToConnection was throttled.* 2 of the old API's"):
        old.drained()


def test_another_refusal_than_gone_is_not_taken_for_gone() -> None:
    old = Old("a")

    def forbidden(_: str) -> bool:
        raise _error("ForbiddenException", 403)

    old.throttled = forbidden
    with pytest.raises(ClientError, match="ForbiddenException"):
        old.drained()
