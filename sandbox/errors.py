"""The errors that the sandbox foresees: each names the thing, the reason and the way out."""


class SandboxError(Exception):
    """Something that a person can put right; shown as one line, without a traceback."""

    def __init__(self, thing: str, reason: str, way_out: str, *, detail: str = "") -> None:
        super().__init__(f"{thing}: {reason}; {way_out}" + (f"\n{detail}" if detail else ""))
        self.thing = thing
        self.reason = reason
        self.way_out = way_out
        self.detail = detail
