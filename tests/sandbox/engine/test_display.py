"""What an operation shows: in the CLI's manner, without colours where nobody looks, no secrets."""

import json

import pytest
from engine_bench import PARITY

from sandbox.stack import Request

FIRST = """
g = Group("g")
a = Thing("a", value="1", hidden=pulumi.Output.secret("hunter2"),
          opts=ResourceOptions(parent=g))
Thing("b", kind="one")
pulumi.export("token", a.token)
pulumi.export("password", pulumi.Output.secret("hunter2"))
"""
SECOND = FIRST.replace('value="1"', 'value="2", tags={"x": "y"}').replace("one", "two")


@pytest.fixture
def shown(bench, capsys):
    def show(operation, text, **options):
        bench.program(text)
        result = getattr(bench.engine, operation)(bench.stack, Request(**options))
        said = capsys.readouterr()
        assert "hunter2" not in said.out + said.err, "a secret is shown"
        assert "\x1b" not in said.out + said.err, "colours, and no terminal"
        return result, said.out

    return show


def lines(out):
    return [" ".join(line.split()) for line in out.splitlines() if line.strip()]


def test_a_preview_shows_the_tree_the_outputs_and_what_there_is_to_do(shown):
    _, out = shown("preview", FIRST)
    assert lines(out)[0] == "Previewing update (dev):"
    assert " + pulumi:pulumi:Stack bench-dev create" in out.replace("   ", "")
    indents = {line.split()[2]: line.index("demo:") for line in out.splitlines() if "demo:" in line}
    assert indents["a"] > indents["g"] == indents["b"]
    assert "password: [secret]" in out
    assert "token : [unknown]" in lines(out)
    assert "+ 4 to create" in lines(out)
    assert "Duration" not in out


def test_an_up_shows_what_was_done_and_how_long_it_took(shown):
    shown("up", FIRST)
    result, out = shown("up", SECOND)
    said = lines(out)
    assert said[0] == "Updating (dev):"
    assert any(line.startswith("~ demo:index:Thing a updated") for line in said)
    assert any(line.endswith("[diff: +tags ~value]") for line in said)
    assert any(line.startswith("++ demo:index:Thing b created replacement") for line in said)
    assert any(line.startswith("-- demo:index:Thing b deleted original") for line in said)
    assert "~ 1 updated" in said
    assert "+- 1 replaced" in said
    assert "2 changes. 2 unchanged" in said
    assert said[-1] == f"Duration: {result.duration:.1f}s"


def test_a_diff_shows_each_property_and_hides_the_secret_ones(shown):
    shown("up", FIRST)
    _, out = shown("preview", SECOND.replace("hunter2", "other"), diff=True)
    assert '~ value: "1" => "2"' in out
    assert '+ tags: {"x": "y"}' in out
    assert '~ kind: "one" => "two"' in out
    assert "other" not in out


def test_what_went_wrong_stands_under_its_resource_at_the_end(shown):
    _, out = shown("up", 'Thing("a", fail="create")')
    said = lines(out)
    assert any(line.startswith("+ demo:index:Thing a failed") for line in said)
    at = said.index("Diagnostics:")
    assert said[at + 1] == "demo:index:Thing (a):"
    assert said[at + 2] == "error: the thing refuses to create"


def test_findings_of_a_pack_are_shown_with_level_rule_and_resource(shown):
    pack = PARITY / "packs" / "rules"
    _, out = shown("preview", 'Thing("a", value="forbidden")', policy_packs=(pack,))
    said = lines(out)
    at = said.index("Policies:")
    assert said[at + 1].startswith("❌ ")
    assert f"(local: {pack})" in said[at + 1]
    assert any(line.startswith("- [mandatory]") for line in said[at:])
    assert any("(demo:index:Thing: a)" in line for line in said[at:])


def test_a_machine_gets_one_document_and_nothing_else(shown):
    _, out = shown("up", FIRST, json=True)
    document = json.loads(out)
    assert document["exit_code"] == 0
    assert document["changeSummary"] == {"create": 4}
    assert {step["op"] for step in document["steps"]} == {"create"}
    assert "outputs" not in document


def test_a_quiet_operation_shows_nothing(shown):
    _, out = shown("up", FIRST, quiet=True)
    assert out == ""
