"""A refresh finds what changed and what is gone; the next up puts it right.

Run: up 1, drift, refresh 1, preview 1, up 1
"""

from demo import Thing

Thing("changed", value="v")
Thing("gone", value="v")
Thing("same", value="v")
