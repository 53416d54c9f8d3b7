"""Every road to a standalone WebSocket API, walked: a program or a document each."""

import re
from pathlib import Path

import pytest

from policies.command import main
from policies.rule import MANDATORY
from policies.server import Analyzer
from policies.table import BY_NAME
from tests.policies.running import ask, registrations, rules_of

ROADS = Path(__file__).with_name("roads")
PROGRAMS = sorted(ROADS.glob("*.py"))
TEMPLATES = sorted(ROADS.glob("template_*.yaml"))
PLANS = sorted(ROADS.glob("plan_*.json"))

# What a preview cannot know, and what a program only does when it deploys.
ONLY_WITH_VALUES = {"classic_not_in_preview"}
ONLY_IN_PREVIEW = {"stack_unknown"}


def expected(road: Path) -> str:
    said = re.search(r"Found by: ([\w-]+)", road.read_text(encoding="utf-8"))
    assert said is not None, f"{road.name} does not say which rule finds it"
    return said[1]


@pytest.mark.parametrize("road", PROGRAMS, ids=lambda road: road.stem)
@pytest.mark.parametrize("preview", [True, False], ids=["preview", "up"])
def test_a_program_on_this_road_is_found(road, preview):
    if (preview and road.stem in ONLY_WITH_VALUES) or (
        not preview and road.stem in ONLY_IN_PREVIEW
    ):
        pytest.skip("this road shows in the other run")
    found = ask(Analyzer(), registrations(road, preview=preview))
    assert expected(road) in rules_of(found)


@pytest.mark.parametrize("road", TEMPLATES, ids=lambda road: road.stem)
def test_a_template_on_this_road_is_found(road, capsys):
    assert main(["check", "--template", str(road)]) == 1
    assert expected(road) in capsys.readouterr().out


@pytest.mark.parametrize("road", PLANS, ids=lambda road: road.stem)
def test_a_plan_on_this_road_is_found(road, capsys):
    assert main(["check", "--plan", str(road)]) == 1
    assert expected(road) in capsys.readouterr().out


def test_every_rule_of_the_ban_has_a_road():
    walked = {expected(road) for road in (*PROGRAMS, *TEMPLATES, *PLANS)}
    names = [name for name, rule in BY_NAME.items() if rule.enforcement is MANDATORY]
    ban = set(names[: names.index("shared-api-has-one-owner")])
    assert ban <= walked
