"""Two resources of one type and name are refused.

Run: preview 1, up 1
"""

from demo import Thing

a = Thing("a", value="v")
Thing("a", value=a.id)
