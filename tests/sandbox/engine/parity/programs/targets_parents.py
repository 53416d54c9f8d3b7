"""A target below a new component that is no target, and one that replaces what others use.

Run: up 1, preview 2, up 2, up 3
Target: **::target
"""

from demo import Group, Thing, step
from pulumi import ResourceOptions

there = Group("there")
Thing("target", kind=f"k{step}", opts=ResourceOptions(parent=there, delete_before_replace=True))
if step == 3:
    group = Group("group")
    Thing("below", value="v", opts=ResourceOptions(parent=group))
