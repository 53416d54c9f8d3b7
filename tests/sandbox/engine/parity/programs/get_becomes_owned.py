"""A name that was read and is then created.

Run: seed, up 1, up 2
"""

from demo import Thing, step
from pulumi import ResourceOptions

Thing("a", value="mine", opts=ResourceOptions(id="seeded") if step == 1 else None)
