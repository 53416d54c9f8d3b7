"""Resources that exist are taken over: as they are, or with a change right after.

Run: seed, preview 1, up 1, up 1, up 2, destroy 2
"""

from demo import Thing, step
from pulumi import ResourceOptions

options = ResourceOptions(import_="seeded") if step == 1 else None
Thing("a", value="seed", label="seeded", opts=options)
