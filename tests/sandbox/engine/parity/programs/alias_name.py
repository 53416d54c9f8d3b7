"""A renamed resource with an alias stays what it was.

Run: up 1, preview 2, up 2, up 3
"""

from demo import Thing, step
from pulumi import Alias, ResourceOptions

if step == 1:
    a = Thing("a", value="v", label="l")
else:
    aliases = [Alias(name="a")] if step == 2 else []
    a = Thing("renamed", value="v", label="l", opts=ResourceOptions(aliases=aliases))
Thing("b", value=a.id)
