"""A stack policy speaks when everything is there.

Run: preview 1, up 1
Pack: rules
"""

from demo import Thing

for name in ("a", "b", "c", "crowd"):
    Thing(name, value="v")
