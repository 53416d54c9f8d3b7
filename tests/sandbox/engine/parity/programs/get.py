"""A resource of somebody else is read, and let go of when the program does.

Run: seed, preview 1, up 1, up 1, up 2
"""

from demo import Thing, step
from pulumi import ResourceOptions

if step == 1:
    found = Thing("found", opts=ResourceOptions(id="seeded"))
    Thing("a", value=found.echo)
else:
    Thing("a", value="seed")
