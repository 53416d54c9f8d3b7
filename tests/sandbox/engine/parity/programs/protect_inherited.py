"""What a component protects is protected in it too.

Run: up 1, up 2, up 3, up 2
"""

from demo import Group, Thing, step
from pulumi import ResourceOptions

group = Group("g", ResourceOptions(protect=step == 1))
if step != 2:
    Thing("a", value="v", opts=ResourceOptions(parent=group))
