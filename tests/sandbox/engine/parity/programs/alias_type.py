"""An alias by URN and one by type find the resource.

Run: up 1, preview 2, up 2
"""

import pulumi
from demo import Group, Thing, step
from pulumi import Alias, ResourceOptions


class Team(pulumi.ComponentResource):
    def __init__(self, name, opts=None):
        super().__init__("demo:index:Team", name, None, opts)


stack, project = pulumi.get_stack(), pulumi.get_project()
if step == 1:
    owner = Group("g")
    Thing("a", label="l")
else:
    owner = Team("g", ResourceOptions(aliases=[Alias(type_="demo:index:Group")]))
    urn = f"urn:pulumi:{stack}::{project}::demo:index:Thing::a"
    Thing("z", label="l", opts=ResourceOptions(aliases=[urn]))
Thing("child", label="m", opts=ResourceOptions(parent=owner))
