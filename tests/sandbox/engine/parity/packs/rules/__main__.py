"""A policy of every level, for the tests of both engines."""

from pulumi_policy import (
    EnforcementLevel,
    PolicyPack,
    ResourceValidationPolicy,
    StackValidationPolicy,
)


def says(word):
    def validate(args, report):
        if args.resource_type == "demo:index:Thing" and args.props.get("value") == word:
            report(f"the value is {word}")

    return validate


def crowded(args, report):
    if any(resource.name == "crowd" for resource in args.resources):
        report("too many")


def repair(args):
    thing = args.resource_type == "demo:index:Thing"
    if thing and args.props.get("value") == "repairable":
        return {**args.props, "value": "repaired"}
    return None


PolicyPack(
    "parity-rules",
    policies=[
        ResourceValidationPolicy(
            "forbidden", "Not this.", says("forbidden"), EnforcementLevel.MANDATORY
        ),
        ResourceValidationPolicy("poor", "Rather not.", says("poor"), EnforcementLevel.ADVISORY),
        ResourceValidationPolicy(
            "repair", "Repaired.", remediate=repair, enforcement_level=EnforcementLevel.REMEDIATE
        ),
        StackValidationPolicy("crowd", "No crowds.", crowded, EnforcementLevel.MANDATORY),
    ],
)
