"""The cost model: its arithmetic, and what the command prints."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib import resources

import pytest
import yaml
from click.testing import CliRunner

from ops.__main__ import ops
from ops.cost.model import LimitUse, Load, bill, limits
from ops.cost.report import _limits_plot, read_prices

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


def test_a_limit_of_which_nothing_is_used_is_never_reached() -> None:
    uses = limits(Load(subscribers_per_business=0), LIMITS)
    assert uses[-1].reached_at is None
    result = CliRunner().invoke(ops, ["cost", "--fan-out", "0", "--json"])
    document = json.loads(result.output, parse_constant=pytest.fail)
    assert document["limits"][-1]["reachedAt"] is None
    assert "never" in CliRunner().invoke(ops, ["cost", "--fan-out", "0"]).output


def test_only_the_fan_out_brings_one_topic_to_its_limit() -> None:
    def topic(load: Load) -> float | None:
        use = next(use for use in limits(load, LIMITS) if use.grows_with == "fan-out")
        return use.reached_at

    assert topic(Load().times(1000)) == topic(Load())
    assert topic(Load(subscribers_per_business=50_000)) == pytest.approx(topic(Load()) / 1000)


def test_a_second_device_of_every_merchant_doubles_its_minutes_and_not_its_orders() -> None:
    two = Load(devices_per_merchant=2)
    assert _amount(two, "connection minutes") == 2 * _amount(Load(), "connection minutes")
    assert _amount(two, "queue requests") == _amount(Load(), "queue requests")


def test_the_plot_puts_a_limit_where_its_multiple_is_on_the_axis() -> None:
    uses = [
        LimitUse(limit=name, value=value, raisable=True, used=1, grows_with="load")
        for name, value in (("at_ten", 10), ("at_hundred", 100), ("beyond", 5000))
    ]
    _, axis, *rows = _limits_plot(uses)
    assert rows[0].index("●") == axis.index("x10 ")
    assert rows[1].index("●") == axis.index("x100 ")
    assert rows[2].index("▶") == axis.index("x1000")


def test_every_price_and_limit_names_its_source() -> None:
    text = resources.files("ops.cost").joinpath("prices.yaml").read_text(encoding="utf-8")
    document = yaml.safe_load(text)
    entries = [*document["prices"].values(), *document["limits"].values()]
    assert [e for e in entries if not e["source"].startswith("https://")] == []


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
    "wrong", [["--merchants", "0"], ["--hours", "25"], ["--heartbeat", "none"], ["--hours", "nan"]]
)
def test_a_figure_that_cannot_be_is_refused_by_name(wrong: list[str]) -> None:
    result = CliRunner().invoke(ops, ["cost", *wrong])
    assert result.exit_code == 2
    assert wrong[0] in result.output
