"""A mandatory violation ends preview and up.

Run: preview 1, up 1, up 2
Pack: rules
"""

from demo import Thing, step

Thing("a", value="forbidden" if step == 1 else "fine")
