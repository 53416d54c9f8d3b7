"""Repair on tables: what stands in them afterwards, what others write meanwhile, what is told."""

from __future__ import annotations

import json
import threading
from collections import Counter
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambdas import rows
from ops.paced import PacedTables
from ops.repair import commit, decisions, report, subscriptions
from tests.gateway.tables import Tables
from tests.ops.repair.conftest import Shop
from tests.ops.repair.rows import BUSINESS, OWNER, abandoned, connection, subscription

pytestmark = pytest.mark.cloud

TOPIC = f"business:{BUSINESS}"


def _fill(tables: Tables) -> None:
    """Of everything that is wrong one, and rows of others."""
    tables.connections.put_all(
        [
            connection("mistyped="),
            connection("silent=", entityType="merchant"),
            connection("right=", entityType="merchant"),
            connection("customer=", businessId=None, userId="c1"),
            connection("watching=", userId="c2"),
            connection("driver=", entityType="driver", businessId=None, userId="d1"),
        ]
    )
    tables.subscriptions.put_all(
        [
            subscription("mistyped=_business_status_1", entityType="customer"),
            subscription("right=_business_status_1"),
            subscription("gone=_business_status_1"),
            abandoned(),
            subscription("customer=_business_status_1", userId="c1", entityType="customer"),
            subscription("left=_business_status_1", userId="c3", entityType="customer"),
            subscription("gone=#order:o1", subscriptionType="order"),
        ]
    )


FOUND = {"entity type": 2, "missing subscription": 1, "orphan": 1, "abandoned": 1}


def test_without_apply_nothing_is_written_and_everything_is_told(shop: Shop) -> None:
    _fill(shop.tables)
    before = shop.contents()
    told = shop.report()
    assert (told["found"], told["outcome"], told["state"]) == (FOUND, {}, "complete")
    assert shop.contents() == before
    assert not shop.journal.exists()


def test_apply_mends_what_is_the_merchants_and_touches_nothing_else(shop: Shop) -> None:
    _fill(shop.tables)
    before = shop.tables.snapshot()
    told = shop.report("--apply")
    assert told["found"] == FOUND
    assert told["outcome"] == {"mended": 5}
    connections, subscriptions = shop.tables.connections, shop.tables.subscriptions
    for key in ("mistyped=", "silent="):
        assert connections.get(key)["entityType"] == "merchant"
    assert connections.get("silent=")["subscribedTopics"] == {TOPIC}
    assert subscriptions.get(f"silent=#{TOPIC}")["entityType"] == "merchant"
    assert subscriptions.get("mistyped=_business_status_1")["userType"] == "merchant"
    mended = {"mistyped=", "silent=", f"silent=#{TOPIC}", "mistyped=_business_status_1"}
    gone = {"gone=_business_status_1", abandoned()["subscriptionId"]}
    for table in shop.tables.all():
        kept = [row for row in before[table.name] if row[table.key] not in mended | gone]
        assert [row for row in table.rows() if row[table.key] not in mended] == _any_order(kept)


class _any_order(list):  # noqa: N801 - reads as a matcher
    def __eq__(self, other: object) -> bool:
        return isinstance(other, list) and sorted(map(str, self)) == sorted(map(str, other))

    __hash__ = None


@pytest.mark.parametrize(
    ("flags", "is_open"),
    [
        ({"isActive": True, "acceptingOrders": True}, True),
        ({"isActive": True, "acceptingOrders": False}, False),
        ({"isActive": False}, False),
        ({}, False),
    ],
)
def test_a_subscription_that_was_missing_says_whether_the_business_is_open(
    shop: Shop, flags: dict[str, bool], is_open: bool
) -> None:
    shop.tables.businesses.put({"businessId": BUSINESS, "ownerId": OWNER} | flags)
    shop.tables.connections.put(connection("m1=", entityType="merchant"))
    shop.report("--apply")
    assert shop.tables.subscriptions.get(f"m1=#{TOPIC}")["isActive"] is is_open


def test_a_row_that_repair_makes_is_one_that_the_handler_would_make(shop: Shop) -> None:
    """But for the time of its making, which it does not know, it has the same attributes."""
    shop.tables.connections.put(connection("m1=", entityType="merchant"))
    shop.report("--apply")
    made = shop.tables.subscriptions.get(f"m1=#{TOPIC}")
    assert made["writtenBy"] == rows.OURS
    assert made["topic"] == rows.business_topic(BUSINESS)
    assert made["subscriptionId"] == rows.subscription_id("m1=", made["topic"])
    began = rows.seconds_of(shop.tables.connections.get("m1=")["connectedAt"])
    assert made["ttl"] == min(rows.last_second(began), shop.tables.connections.get("m1=")["ttl"])
    assert set(rows.Connection.of(shop.tables.connections.get("m1=")).topics) == {made["topic"]}
    assert commit.TOPICS_LIMIT == rows.SUBSCRIPTION_LIMIT


def test_what_looks_wrong_and_is_left_alone_is_told_with_the_reason(shop: Shop) -> None:
    _fill(shop.tables)
    told = shop.report("--apply")
    assert told["leftAlone"] == {decisions.NOT_THE_OWNER: 1, subscriptions.NOBODY_CAN_TELL: 1}
    assert {row["key"] for row in told["rows"] if row["kind"] is None} == {
        "watching=",
        "left=_business_status_1",
    }


def test_many_orphans_of_one_connection_all_go(shop: Shop) -> None:
    shop.tables.subscriptions.put_all(subscription(f"m1=_business_status_{n}") for n in range(22))
    assert shop.report("--apply")["outcome"] == {"mended": 22}


def test_a_second_run_finds_nothing(shop: Shop) -> None:
    _fill(shop.tables)
    shop.report("--apply")
    assert shop.report("--apply")["found"] == {}


def test_the_text_names_rows_and_counts_and_says_what_to_do(shop: Shop) -> None:
    _fill(shop.tables)
    said = shop.run().stdout
    assert "orphan, subscriptions: 1\n  gone=_business_status_1\n" in said
    assert f"left alone, connections: 1: {decisions.NOT_THE_OWNER}" in said
    assert said.endswith(
        "6 connections and 7 subscriptions read; 5 to mend; nothing was written:"
        " --apply mends them\n"
    )


def test_the_text_names_no_more_rows_of_a_sort_than_one_can_read(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "SHOWN", 2)
    shop.tables.subscriptions.put_all(subscription(f"gone{n}=_business_status_1") for n in range(5))
    assert "  and 3 more" in shop.run().stdout


# --- What others write meanwhile ------------------------------------------------------------------


def _before_the_first_write(monkeypatch: pytest.MonkeyPatch, meanwhile: Any) -> None:
    """Have somebody else write when everything has been read and nothing is written yet."""
    call = PacedTables.call
    waiting = [meanwhile]

    def watched(self: PacedTables, operation: str, **parameters: Any) -> dict[str, Any]:
        if operation == "transact_write_items" and waiting:
            waiting.pop()()
        return call(self, operation, **parameters)

    monkeypatch.setattr(PacedTables, "call", watched)


def test_a_customer_who_registers_meanwhile_stays_a_customer(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.tables.connections.put_all([connection("one="), connection("two=")])
    registered = connection("one=", businessId=None, userId="c1", registeredBy="order-receiver")
    _before_the_first_write(monkeypatch, lambda: shop.tables.connections.put(registered))
    told = shop.report("--apply")
    assert told["outcome"] == {"changed meanwhile": 2, "mended": 2}
    assert shop.tables.connections.get("one=") == registered
    assert shop.tables.subscriptions.get(f"one=#{TOPIC}") is None
    assert shop.tables.connections.get("two=")["entityType"] == "merchant"


def test_a_subscription_whose_connection_turns_up_meanwhile_stays(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.tables.subscriptions.put_all(
        [subscription("new=_business_status_1"), subscription("gone=_business_status_1")]
    )
    living = connection("new=", entityType="merchant")
    _before_the_first_write(monkeypatch, lambda: shop.tables.connections.put(living))
    told = shop.report("--apply")
    assert told["outcome"] == {"changed meanwhile": 1, "mended": 1}
    assert shop.tables.subscriptions.get("new=_business_status_1") is not None


def test_a_connection_that_closes_meanwhile_leaves_no_subscription(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.tables.connections.put(connection("m1=", entityType="merchant"))
    _before_the_first_write(monkeypatch, lambda: shop.tables.connections.delete("m1="))
    assert shop.report("--apply")["outcome"] == {"changed meanwhile": 1}
    assert shop.contents() == ([], [])


def test_a_subscription_that_is_made_meanwhile_is_not_made_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.tables.connections.put(connection("m1=", entityType="merchant"))
    theirs = subscription(f"m1=#{TOPIC}", writtenBy="order-receiver", isActive=False)
    _before_the_first_write(monkeypatch, lambda: shop.tables.subscriptions.put(theirs))
    assert shop.report("--apply")["outcome"] == {"changed meanwhile": 1}
    assert shop.tables.subscriptions.get(f"m1=#{TOPIC}") == theirs


def test_a_connection_with_as_many_topics_as_it_may_have_gets_no_more(shop: Shop) -> None:
    topics = {f"order:{number}" for number in range(commit.TOPICS_LIMIT)}
    full = connection("m1=", entityType="merchant", subscribedTopics=topics)
    shop.tables.connections.put(full)
    assert shop.report("--apply")["outcome"] == {"changed meanwhile": 1}
    assert shop.tables.connections.get("m1=") == full


def test_thousands_of_rows_are_mended_while_devices_register(shop: Shop) -> None:
    """Whatever the order of events, who registered as a customer meanwhile stays one."""
    tables = shop.tables
    tables.connections.put_all(connection(f"m{number}=") for number in range(1200))
    tables.subscriptions.put_all(
        subscription(f"gone{number}=_business_status_1") for number in range(1300)
    )
    stop = threading.Event()
    registered: list[str] = []

    def register() -> None:
        for number in range(0, 1200, 7):
            if stop.is_set():
                return
            tables.connections.client.update_item(
                TableName=tables.connections.name,
                Key={"connectionId": {"S": f"m{number}="}},
                UpdateExpression="SET entityType = :c, registeredBy = :o REMOVE businessId",
                ExpressionAttributeValues={":c": {"S": "customer"}, ":o": {"S": "order-receiver"}},
            )
            registered.append(f"m{number}=")

    devices = threading.Thread(target=register)
    devices.start()
    try:
        told = shop.report("--apply")
    finally:
        stop.set()
        devices.join()
    assert registered
    types = Counter(row["entityType"] for row in tables.connections.rows())
    assert types == {"customer": len(registered), "merchant": 1200 - len(registered)}
    assert told["read"] == {"connections": 1200, "subscriptions": 1300 + _made(told)}
    assert [row["subscriptionId"] for row in tables.subscriptions.rows() if _is_gone(row)] == []


def _made(told: dict[str, Any]) -> int:
    """Subscriptions that were made in the first pass, and so read in the second."""
    return sum(
        row["kind"] == "missing subscription" and row["outcome"] == "mended" for row in told["rows"]
    )


def _is_gone(row: dict[str, Any]) -> bool:
    return row["subscriptionId"].startswith("gone")


# --- Throttling -----------------------------------------------------------------------------------


class _Busy:
    """A DynamoDB that refuses the first so many calls."""

    def __init__(self, *refusals: ClientError) -> None:
        self.refusals = list(refusals)
        self.calls = 0

    def transact_write_items(self, **_: Any) -> dict[str, Any]:
        self.calls += 1
        if self.refusals:
            raise self.refusals.pop(0)
        return {"ConsumedCapacity": [{"CapacityUnits": 4.0}]}


def _refusal(code: str, *reasons: str) -> ClientError:
    response: dict[str, Any] = {"Error": {"Code": code, "Message": "busy"}}
    if reasons:
        response["CancellationReasons"] = [{"Code": reason} for reason in reasons]
    return ClientError(response, "TransactWriteItems")


def _orphan(key: str) -> decisions.Mend:
    write = decisions.Write(
        kind="orphan", table="subscriptions", key=key, action="delete", values={}, expected={}
    )
    return decisions.Mend(writes=(write,))


NAMES: dict[decisions.Table, str] = {"connections": "c", "subscriptions": "s"}


@pytest.mark.parametrize(
    "refusal",
    [
        _refusal("ProvisionedThroughputExceededException"),
        _refusal("ThrottlingException"),
        _refusal("TransactionCanceledException", "None", "ProvisionedThroughputExceeded"),
        _refusal("TransactionCanceledException", "ThrottlingError", "None"),
        _refusal("TransactionCanceledException", "TransactionConflict", "None"),
    ],
    ids=["table", "request", "row of a table", "row", "conflict"],
)
def test_a_write_that_is_throttled_is_tried_again_after_growing_pauses(
    refusal: ClientError,
) -> None:
    busy, slept = _Busy(refusal, refusal, refusal), list[float]()
    tables = PacedTables(busy, units_per_second=1e9, clock=lambda: 0.0, sleep=slept.append)
    assert commit.commit(tables, NAMES, [_orphan("a"), _orphan("b")]) == ["mended", "mended"]
    assert busy.calls == 4
    pauses = [pause for pause in slept if pause > 0.1]
    assert len(pauses) == 3
    assert pauses[0] <= 1 <= pauses[1] * 2 <= pauses[2] * 2


def test_a_throttle_that_lasts_is_an_error_that_names_the_call() -> None:
    busy = _Busy(*[_refusal("ThrottlingException")] * 100)
    tables = PacedTables(busy, units_per_second=1e9, clock=lambda: 0.0, sleep=lambda _: None)
    with pytest.raises(ClientError, match="TransactWriteItems"):
        commit.commit(tables, NAMES, [_orphan("a")])


def test_a_row_that_others_write_all_the_time_is_left_alone_and_the_rest_mended() -> None:
    conflict = _refusal("TransactionCanceledException", "TransactionConflict", "None")
    busy = _Busy(*[conflict] * 8)
    tables = PacedTables(busy, units_per_second=1e9, clock=lambda: 0.0, sleep=lambda _: None)
    outcomes = commit.commit(tables, NAMES, [_orphan("a"), _orphan("b")])
    assert outcomes == ["always being written", "mended"]


def test_capacity_is_used_no_faster_than_the_operator_allows() -> None:
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    tables = PacedTables(_Busy(), units_per_second=10, clock=lambda: now[0], sleep=sleep)
    for _ in range(50):
        tables.call("transact_write_items")
    assert now[0] == pytest.approx((50 - 1) * 4 / 10)


# --- Progress -------------------------------------------------------------------------------------


def test_without_a_terminal_progress_is_lines_beside_the_report(shop: Shop) -> None:
    _fill(shop.tables)
    result = shop.run("--apply", "--json")
    assert json.loads(result.stdout)["state"] == "complete"
    assert "connections: 6 rows read, 2 wrong, 1 mended, 1 left alone" not in result.stdout
    assert "connections: 6 rows read" in result.stderr


def test_on_a_terminal_progress_is_a_bar_with_counts(shop: Shop) -> None:
    from click.testing import CliRunner

    from ops.__main__ import ops

    _fill(shop.tables)
    result = CliRunner().invoke(
        ops,
        [*shop.arguments, "--json"],
        env={"FORCE_COLOR": "1", "TERM": "xterm", "COLUMNS": "100"},
    )
    assert json.loads(result.stdout)["state"] == "complete"
    assert "━" in result.stderr
    assert "7/7" in result.stderr
