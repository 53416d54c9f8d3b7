"""A refresh that finds a thing there, but not well, warns of it, and the next up tries again.

Run: up 1, refresh 1, preview 1, calm, up 1
"""

from demo import Thing

a = Thing("a", value="v", fail="partial")
Thing("b", value=a.token)
