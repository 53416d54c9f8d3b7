"""A renamed component takes its children along, also those that are named after it.

Run: up 1, preview 2, up 2
"""

from demo import Group, Thing, step
from pulumi import Alias, ResourceOptions

if step == 1:
    name, options = "app", ResourceOptions()
else:
    name, options = "newapp", ResourceOptions(aliases=[Alias(name="app")])
group = Group(name, options)
inner = Group(f"{name}-inner", ResourceOptions(parent=group))
Thing(f"{name}-thing", label="one", opts=ResourceOptions(parent=inner))
Thing("other", label="two", opts=ResourceOptions(parent=group))
