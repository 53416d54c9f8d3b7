"""A resource that moves into a component keeps its identity by an alias.

Run: up 1, preview 2, up 2, up 3
"""

from demo import Group, Thing, step
from pulumi import ROOT_STACK_RESOURCE, Alias, ResourceOptions

group = Group("g")
if step == 1:
    Thing("a", value="v")
else:
    aliases = [Alias(parent=ROOT_STACK_RESOURCE)] if step == 2 else []
    Thing("a", value="v", opts=ResourceOptions(parent=group, aliases=aliases))
