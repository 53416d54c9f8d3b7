"""A remediation changes the inputs, in preview and up alike.

Run: preview 1, up 1, up 1
Pack: rules
"""

from demo import Thing

Thing("a", value="repairable")
