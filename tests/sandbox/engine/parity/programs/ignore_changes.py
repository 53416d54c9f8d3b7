"""Ignored properties keep their values, by name, by path and by wildcard.

Run: up 1, preview 2, up 2
"""

from demo import Thing, step
from pulumi import ResourceOptions

tags = {"a": f"{step}", "b": f"{step}"}
Thing("name", value=f"v{step}", opts=ResourceOptions(ignore_changes=["value"]))
Thing("path", tags=tags, opts=ResourceOptions(ignore_changes=["tags.a"]))
Thing("replacing", kind=f"k{step}", opts=ResourceOptions(ignore_changes=["kind"]))
items = [{"x": step, "y": 1}, {"x": step, "y": 2}]
Thing("wildcard", items=items, opts=ResourceOptions(ignore_changes=["items[*].x"]))
