"""Programs of other people in the same sandbox, each with a stack of its own."""

import json

import pytest

pytestmark = pytest.mark.xdist_group("end-to-end")


@pytest.fixture
def program(tmp_path):
    """A program that one can write anew."""
    tmp_path.joinpath("Pulumi.yaml").write_text("name: other\nruntime: python\n")

    def write(*lines):
        text = "\n".join(["import pulumi", "import pulumi_aws as aws", *lines])
        tmp_path.joinpath("__main__.py").write_text(text + "\n")
        return "--cwd", str(tmp_path)

    return write


def test_a_program_is_deployed_left_alone_changed_and_destroyed(clone, program):
    queue = 'queue = aws.sqs.Queue("queue")'
    options = program(queue, 'pulumi.export("says", "hello")')
    assert clone.sandbox("up", "--yes", *options).returncode == 0

    again = clone.sandbox("up", "--yes", *options)
    assert again.returncode == 0
    assert "Updating" not in again.stdout

    program(queue, 'pulumi.export("says", "goodbye")')
    assert clone.sandbox("up", "--yes", *options).returncode == 0
    assert json.loads(clone.sandbox("outputs", "--json", *options).stdout) == {"says": "goodbye"}

    program('pulumi.export("says", "nothing")')
    planned = json.loads(clone.sandbox("preview", "--json", *options).stdout)
    assert planned["changeSummary"]["delete"] == 1

    assert clone.sandbox("destroy", "--yes", *options).returncode == 0
    state = json.loads(clone.sandbox("export", *options).stdout)["deployment"]
    assert not state.get("resources")


def test_json_is_one_document_and_everything_else_is_elsewhere(clone, program):
    options = program('pulumi.export("says", "hello")')
    done = clone.sandbox("up", "--yes", "--json", *options)
    assert done.returncode == 0
    assert json.loads(done.stdout)["exit_code"] == 0
    assert clone.sandbox("destroy", "--yes", "--json", *options).returncode == 0


def test_settings_are_set_and_read_per_program(clone, program, tmp_path):
    options = program('pulumi.export("says", pulumi.Config().require("word"))')
    missing = clone.sandbox("preview", *options)
    assert missing.returncode == 1
    assert "other:word" in missing.stdout + missing.stderr
    assert clone.sandbox("config", "set", "word", "hello", *options).returncode == 0
    assert clone.sandbox("config", "get", "word", *options).stdout == "hello\n"
    assert tmp_path.joinpath("Pulumi.sandbox.yaml").exists()
    assert clone.sandbox("preview", *options).returncode == 0


def test_a_preview_leaves_nothing_running(clone, program):
    clone.sandbox("down", "--yes")
    assert clone.sandbox("preview", *program()).returncode == 0
    assert clone.processes() == []
