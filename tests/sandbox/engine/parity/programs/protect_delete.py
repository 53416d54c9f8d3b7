"""A protected resource is not deleted, in a preview neither; unprotected, it is.

Run: up 1, preview 2, up 2, destroy 1, up 3, up 2
"""

from demo import Thing, step
from pulumi import ResourceOptions

Thing("b", value="v")
if step != 2:
    Thing("a", value="v", opts=ResourceOptions(protect=step == 1))
