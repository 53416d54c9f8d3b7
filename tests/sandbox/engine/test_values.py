"""Property values: what is unknown, what is secret, what changed, and where."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.engine import values

plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**50), 2**50) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=4), plain, max_size=4))
def test_a_value_survives_the_way_over_the_wire(properties):
    assert values.from_struct(values.to_struct(properties)) == properties


@given(plain)
def test_a_secret_is_revealed_as_it_was_and_never_shown(value):
    hidden = {"a": [values.secret(value)], "b": 1}
    assert values.reveal(hidden) == {"a": [value], "b": 1}
    assert values.redact(hidden) == {"a": ["[secret]"], "b": 1}
    assert values.has_secret(hidden)


def test_whole_numbers_are_whole_and_others_are_not():
    found = values.from_struct(values.to_struct({"a": 14.0, "b": 1.5, "c": True}))
    assert [repr(value) for value in found.values()] == ["14", "1.5", "True"]


def test_an_asset_changes_with_its_content_and_not_with_its_path():
    def asset(path, content):
        return {values.SIGNATURE: values.ASSET, "path": path, "hash": content}

    assert values.changed_keys({"f": asset("a", "1")}, {"f": asset("b", "1")}) == ()
    assert values.changed_keys({"f": asset("a", "1")}, {"f": asset("a", "2")}) == ("f",)


def test_a_value_that_became_secret_has_not_changed():
    assert values.changed_keys({"a": "x"}, {"a": values.secret("x")}) == ()


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("name", ("name",)),
        ("tags.a", ("tags", "a")),
        ('tags["a.b"].c', ("tags", "a.b", "c")),
        ("items[0].x", ("items", 0, "x")),
        ("items[*].x", ("items", "*", "x")),
        ("*", ("*",)),
    ],
)
def test_a_property_path_is_split_as_the_cli_splits_it(path, parts):
    assert values.parse_path(path) == parts


@pytest.mark.parametrize(
    ("path", "expected", "missed"),
    [
        ("a", {"a": 1, "t": {"x": 9, "y": 9}, "l": [{"x": 9}, {"x": 9}]}, []),
        ("t.x", {"a": 9, "t": {"x": 1, "y": 9}, "l": [{"x": 9}, {"x": 9}]}, []),
        ("l[*].x", {"a": 9, "t": {"x": 9, "y": 9}, "l": [{"x": 1}, {"x": 2}]}, []),
        ("l[0]", {"a": 9, "t": {"x": 9, "y": 9}, "l": [{"x": 1}, {"x": 9}]}, []),
        ("t.y", {"a": 9, "t": {"x": 9}, "l": [{"x": 9}, {"x": 9}]}, []),
        ("l[2]", {"a": 9, "t": {"x": 9, "y": 9}, "l": [{"x": 9}, {"x": 9}]}, []),
        ("gone.x", {"a": 9, "t": {"x": 9, "y": 9}, "l": [{"x": 9}, {"x": 9}]}, ["gone.x"]),
    ],
)
def test_an_ignored_path_gets_back_what_it_had(path, expected, missed):
    old = {"a": 1, "t": {"x": 1}, "l": [{"x": 1}, {"x": 2}], "gone": {"x": 1}}
    new = {"a": 9, "t": {"x": 9, "y": 9}, "l": [{"x": 9}, {"x": 9}]}
    assert values.reset_paths(new, old, [path]) == (expected, missed)
    assert new["a"] == 9, "the new properties were changed in place"
