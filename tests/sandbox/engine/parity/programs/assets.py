"""Assets and archives change when their content does.

Run: up 1, preview 2, up 2, up 2
"""

from demo import Thing, step
from pulumi import AssetArchive, StringAsset

Thing("text", file=StringAsset(f"content {step}"))
Thing("same", file=StringAsset("content"))
archive = AssetArchive({"a.txt": StringAsset("a"), "b/c.txt": StringAsset(f"c{step}")})
Thing("archive", file=archive)
