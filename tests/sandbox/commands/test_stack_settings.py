"""Changing one setting leaves the rest of the file as its writer left it."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sandbox.commands.settings import changed

FILE = """\
# What this stack is.
config:
  aws:region: us-east-1
  # The routes.
  order-receiver:routes:
    - PING
    - heartbeat
  order-receiver:list:
  - a
  - b
  order-receiver:logRetentionDays: 7

# The end.
"""


def test_a_value_is_replaced_in_its_place():
    text = changed(FILE, "order-receiver:logRetentionDays", "30")
    assert text == FILE.replace("logRetentionDays: 7", "logRetentionDays: '30'")


def test_a_list_is_replaced_with_all_its_lines():
    text = changed(FILE, "order-receiver:routes", '["PING"]')
    assert "order-receiver:routes: [PING]\n  order-receiver:list:" in text
    assert "# The routes." in text


def test_a_list_at_the_depth_of_its_key_is_removed_whole():
    text = changed(FILE, "order-receiver:list", None)
    assert "- a" not in text
    assert yaml.safe_load(text)["config"]["order-receiver:logRetentionDays"] == 7


def test_a_new_key_goes_to_the_end_of_the_settings():
    text = changed(FILE, "order-receiver:lambdaMemorySize", "1024")
    assert "  order-receiver:lambdaMemorySize: '1024'\n\n# The end.\n" in text


@pytest.mark.parametrize("text", ["", "# Nothing yet.\n", "config: {}\n", "config:\n"])
def test_a_file_without_settings_gets_them(text):
    assert yaml.safe_load(changed(text, "a:b", "c"))["config"] == {"a:b": "c"}


def test_removing_what_is_not_there_changes_nothing():
    assert changed(FILE, "order-receiver:nothing", None) == FILE
    assert changed("", "a:b", None) == ""


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"])))
def test_any_text_comes_back_as_it_was_given(value):
    read = yaml.safe_load(changed(FILE, "a:b", value))["config"]["a:b"]
    assert read == value or isinstance(read, list | dict)
