"""Batches within DynamoDB's limits, and what DynamoDB leaves over."""

from collections.abc import Callable
from typing import Any

import pytest

from lambdas import batches, clients, removal
from tests.gateway.calls import Calls
from tests.lambdas.delivery.conftest import Place


class Busy:
    """DynamoDB that takes no more than some requests of each batch."""

    def __init__(self, takes: int) -> None:
        self.takes = takes
        self.sizes: list[int] = []
        self.deleted: list[str] = []

    def batch_write_item(self, **call: Any) -> dict[str, Any]:
        ((table, requests),) = call["RequestItems"].items()
        self.sizes.append(len(requests))
        for request in requests[: self.takes]:
            self.deleted.append(request["DeleteRequest"]["Key"]["id"]["S"])
        rest = requests[self.takes :]
        return {"UnprocessedItems": {table: rest} if rest else {}}

    def batch_get_item(self, **call: Any) -> dict[str, Any]:
        ((table, request),) = call["RequestItems"].items()
        self.sizes.append(len(request["Keys"]))
        found = request["Keys"][: self.takes]
        rest = request["Keys"][self.takes :]
        return {
            "Responses": {table: found},
            "UnprocessedKeys": {table: {**request, "Keys": rest}} if rest else {},
        }


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> Busy:
    stand_in = Busy(takes=10)
    monkeypatch.setattr(clients, "dynamodb", lambda: stand_in)
    monkeypatch.setattr(batches, "FIRST_PAUSE", 0)
    return stand_in


def test_what_is_left_over_is_asked_again(busy: Busy) -> None:
    ids = [f"{number:03d}" for number in range(30)]
    batches.delete("table", "id", ids)
    assert busy.deleted == ids
    assert busy.sizes == [25, 15, 5, 5]


def test_keys_that_are_left_over_are_asked_again(busy: Busy) -> None:
    ids = [f"{number:03d}" for number in range(25)]
    assert set(batches.get("table", "id", ids, ())) == set(ids)


@pytest.mark.parametrize(
    "ask",
    [
        lambda: batches.delete("table", "id", ["a"]),
        lambda: batches.get("table", "id", ["a"], ()),
    ],
)
def test_it_does_not_ask_for_ever(busy: Busy, ask: Callable[[], object]) -> None:
    busy.takes = 0
    with pytest.raises(batches.LeftOverError) as caught:
        ask()
    assert (caught.value.table, caught.value.count) == ("table", 1)
    assert len(busy.sizes) == batches.ATTEMPTS


def test_a_key_is_asked_for_once(busy: Busy) -> None:
    # DynamoDB refuses a batch that names a key twice.
    batches.delete("table", "id", ["a", "a", "b"])
    assert busy.deleted == ["a", "b"]


def test_nothing_to_do_is_no_call(busy: Busy) -> None:
    batches.delete("table", "id", [])
    assert batches.get("table", "id", [], ()) == {}
    assert busy.sizes == []


def test_many_rows_are_read_and_removed_in_few_calls(place: Place) -> None:
    ids = place.subscribed(250, "order:o1")
    calls = Calls()
    with calls.watching([clients.dynamodb()]), calls.counting() as made:
        assert removal.remove(dict.fromkeys(ids)) == 500
    assert len(made) == 3 + 10 + 10
    assert place.tables.connections.rows() == place.tables.subscriptions.rows() == []
