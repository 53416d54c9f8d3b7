"""Values that only `up` knows, through applies, lists and interpolated texts.

Run: preview 1, up 1, preview 2, up 2
"""

import pulumi
from demo import Thing, step

a = Thing("a", value=f"v{step}")
Thing("b", value=a.token.apply(lambda token: token.upper()))
Thing("c", value=pulumi.Output.concat("x-", a.id), items=[a.token, "known"])
Thing("d", tags={"known": "k", "unknown": a.token}, value=a.echo)
a.token.apply(lambda token: Thing("e", value=token))
pulumi.export("all", pulumi.Output.all(a.token, a.echo))
