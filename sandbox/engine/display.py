"""How steps, values and results read: signs and words, differences, the document for machines."""

import json
from dataclasses import asdict
from typing import Any, TextIO

from sandbox.engine import values
from sandbox.engine.state import Resource
from sandbox.stack import Op, Result, Step

# A sign, and the word for it while it happens and when it has.
OPS = {
    Op.SAME: ("", "", ""),
    Op.CREATE: ("+", "creating", "created"),
    Op.UPDATE: ("~", "updating", "updated"),
    Op.DELETE: ("-", "deleting", "deleted"),
    Op.REPLACE: ("+-", "replacing", "replaced"),
    Op.CREATE_REPLACEMENT: ("++", "creating replacement", "created replacement"),
    Op.DELETE_REPLACED: ("--", "deleting original", "deleted original"),
    Op.READ: (">", "reading", "read"),
    Op.READ_REPLACEMENT: (">>", "reading replacement", "read replacement"),
    Op.IMPORT: ("=", "importing", "imported"),
    Op.IMPORT_REPLACEMENT: ("=>", "importing replacement", "imported replacement"),
    Op.DISCARD: ("<", "discarding", "discarded"),
    Op.DISCARD_REPLACED: ("<<", "discarding original", "discarded original"),
    Op.REMOVE_PENDING_REPLACE: ("~", "completing replace of", "completed replace"),
    Op.REFRESH: ("~", "refreshing", "refreshed"),
}
COLOURS = {"+": "green", "~": "yellow", "-": "red", ">": "cyan", "=": "cyan", "<": "cyan"}


def print_document(result: Result, out: TextIO) -> None:
    """Print a result as JSON; what is secret stays with `outputs --show-secrets`."""
    document = {**asdict(result), "changeSummary": dict(result.summary)}
    del document["outputs"], document["summary"]
    json.dump(document, out, indent=2)
    out.write("\n")


def differences(old: Any, new: Any) -> list[str]:
    """List what differs, a line each: `+ key: value`, `- key: value`, `~ key: old => new`."""
    lines: list[str] = []
    for key in [*old, *(key for key in new if key not in old)]:
        if key not in new:
            lines.append(f"- {key}: {short(old[key])}")
        elif key not in old:
            lines.append(f"+ {key}: {short(new[key])}")
        elif old[key] != new[key]:
            if isinstance(old[key], dict) and isinstance(new[key], dict):
                lines.append(f"~ {key}:")
                lines += ["    " + line for line in differences(old[key], new[key])]
            else:
                lines.append(f"~ {key}: {short(old[key])} => {short(new[key])}")
    return lines


def marked(step: Step, old: Resource | None, new: Resource) -> list[str]:
    """Name the inputs that differ, each with a sign, where there is a before and an after."""
    if old is None or old is new or step.op is Op.SAME:
        return []
    changed = values.changed_keys(old.inputs, new.inputs)
    signs = {(False, True): "+", (True, False): "-"}
    return [signs.get((k in old.inputs, k in new.inputs), "~") + k for k in changed]


def short(value: Any) -> str:
    """Write a value on one line."""
    value = values.transform(value, lambda v: "[unknown]" if values.is_unknown(v) else v)
    return value if value in ("[unknown]", "[secret]") else json.dumps(value, ensure_ascii=False)


def type_and_name(urn: str) -> str:
    """Name a resource by its own type and name, without what it is part of."""
    parts = urn.split("::", 3)
    return f"{parts[2].rsplit('$', 1)[-1]}: {parts[3]}" if len(parts) == 4 else ""
