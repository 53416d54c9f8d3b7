"""The cost model: its arithmetic, and what the command prints."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from click.testing import CliRunner

from ops.__main__ import ops
from ops.cost.model import Load, bill, limits
from ops.cost.report import read_prices

_, PRICES, LIMITS = read_prices()


def _amount(load: Load, item: str) -> float:
    return next(line.shared for line in bill(load, PRICES) if line.item == item)


def test_a_thousand_merchants_twelve_hours_a_day_are_five_dollars_forty_of_minutes() -> None:
    assert _amount(Load(merchants=1000), "connection minutes") == pytest.approx(5.40)


def test_a_heartbeat_every_thirty_seconds_dominates_the_bill() -> None:
    quiet = Load(messages_per_merchant_per_day=0, orders_per_merchant_per_day=0)
    quiet = replace(quiet, toggles_per_merchant_per_day=0, heartbeat_seconds=30)
    assert _amount(quiet, "WebSocket messages") == pytest.approx(2 * 43.2)


def test_messages_over_a_billion_are_charged_at_the_second_tier() -> None:
    load = Load(merchants=1_000_000, messages_per_merchant_per_day=0, orders_per_merchant_per_day=0)
    load = replace(load, toggles_per_merchant_per_day=0, heartbeat_seconds=300)
    beats = 1_000_000 * 30 * 144
    assert _amount(load, "WebSocket messages") == pytest.approx(
        1000 * 1.0 + (2 * beats - 1e9) / 1e6 * 0.8
    )


def test_the_shared_design_never_costs_more_than_a_separate_one() -> None:
    for line in bill(Load(), PRICES):
        assert line.shared <= line.separate, line.item


def test_the_limit_that_is_reached_first_comes_first() -> None:
    reached = [use.reached_at for use in limits(Load(), LIMITS)]
    assert reached == sorted(reached)


def test_ten_times_the_devices_reach_a_limit_at_a_tenth_of_the_multiple() -> None:
    one = {use.limit: use.reached_at for use in limits(Load(), LIMITS)}
    ten = {use.limit: use.reached_at for use in limits(Load().times(10), LIMITS)}
    assert ten["new_connections_per_second"] == pytest.approx(
        one["new_connections_per_second"] / 10
    )


def test_the_command_prints_one_json_object_whose_totals_are_the_sum_of_its_lines() -> None:
    result = CliRunner().invoke(ops, ["cost", "--merchants", "200", "--json"])
    assert result.exit_code == 0, result.output
    document = json.loads(result.output)
    assert document["load"]["merchants"] == 200
    assert document["total"]["shared"] == pytest.approx(
        sum(line["shared"] for line in document["lines"])
    )


def test_the_tables_name_the_date_of_the_prices() -> None:
    result = CliRunner().invoke(ops, ["cost"])
    assert result.exit_code == 0, result.output
    assert read_prices()[0] in result.output


@pytest.mark.parametrize(
    "wrong", [["--merchants", "0"], ["--hours", "25"], ["--heartbeat", "none"]]
)
def test_a_figure_that_cannot_be_is_refused_by_name(wrong: list[str]) -> None:
    result = CliRunner().invoke(ops, ["cost", *wrong])
    assert result.exit_code == 2
    assert wrong[0] in result.output
