"""Writes the expected steps anew, with the Pulumi CLI: `python .../regenerate.py [NAME...]`."""

import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[4]))
sys.path.insert(0, str(Path(__file__).parent))

from harness import EXPECTED, install_demo, play, scenarios

from sandbox.pulumi_cli import PulumiCli


def main(names):
    EXPECTED.mkdir(exist_ok=True)
    for scenario in scenarios():
        if names and scenario.name not in names:
            continue
        with tempfile.TemporaryDirectory() as folder:
            records = play(PulumiCli(install_demo), scenario, Path(folder))
        scenario.expected.write_text(json.dumps(records, indent=1) + "\n")
        print(scenario.name, "ok" if all(r["succeeded"] for r in records) else "with failures")


if __name__ == "__main__":
    main(sys.argv[1:])
