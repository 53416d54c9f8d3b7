"""Makes the modules beside the tests importable, and gives each test a bench of its own."""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE / "parity")]


@pytest.fixture
def bench(tmp_path):
    from engine_bench import Bench

    return Bench(tmp_path)
