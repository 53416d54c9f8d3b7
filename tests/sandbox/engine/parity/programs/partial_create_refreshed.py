"""A refresh finds what a create did only in part, and nothing is left to repair.

Run: up 1, calm, refresh 1, preview 1, up 1
"""

from demo import Thing

a = Thing("a", value="v", fail="partial")
Thing("b", value=a.token)
