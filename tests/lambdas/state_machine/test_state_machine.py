"""Apps, events and time in any order: nobody misses what is theirs or gets what is not."""

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.gateway.backend import Backend
from tests.lambdas.state_machine.machine import Platform

BOUNDED = settings(
    max_examples=12,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    database=None,
    # A failing run is printed step by step as it is: to shrink it over sockets would take minutes.
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def test_the_platform_is_what_the_model_says_whatever_happens(backend: Backend) -> None:
    run_state_machine_as_test(lambda: Platform(backend), settings=BOUNDED)
