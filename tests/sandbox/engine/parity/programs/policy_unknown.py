"""A rule that reads what a preview does not know says so, and decides in `up`.

Run: preview 1, up 1
Pack: rules
"""

from demo import Thing

a = Thing("a", value="v")
Thing("b", value=a.token.apply(lambda token: "forbidden" if token else ""))
