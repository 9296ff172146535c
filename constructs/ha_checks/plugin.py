"""The pack as a validation plugin of the CDK: it runs at the end of each synthesis, over the written templates."""

from pathlib import Path

import aws_cdk as cdk
import jsii

from ha_checks.assembly import Assembly, manifest_stacks
from ha_checks.report import Violation, check
from ha_checks.resource import Resource
from ha_checks.rule import PACK, Finding, Settings
from ha_checks.rules import RULES

VERSION = "1.0.0"


@jsii.implements(cdk.IPolicyValidationPlugin)
class HighAvailabilityChecks:
    """Rules for high availability and for regions that agree with each other, for any CDK app.

        cdk.Validations.of(app).add_plugins(HighAvailabilityChecks())

    A finding fails the synthesis until it is mended or acknowledged where it lies, or above:

        cdk.Validations.of(construct).acknowledge(cdk.Acknowledgment(id="HaChecks::SingleNatGateway", reason="..."))

    Arguments:
        recovery_objective_seconds: how long a failed target may stay in service (default 60 s).
        pod_grace_seconds: ``terminationGracePeriodSeconds`` of pods whose manifest no template holds (default 30 s, the
            default of Kubernetes).
        zones: availability zones that everything spans (default 3).
        quota_share: share of a quota that may be used (default 0.8).

    Raises ``ValueError`` for figures that make no sense. It reads the templates only, which costs a tenth of a second
    for five regions; what templates leave open (parameters, conditions, looked-up values) it does not judge.
    """

    def __init__(
        self,
        *,
        recovery_objective_seconds: int = 60,
        pod_grace_seconds: int = 30,
        zones: int = 3,
        quota_share: float = 0.8,
    ) -> None:
        self._settings = Settings(
            recovery_objective_seconds=recovery_objective_seconds,
            pod_grace_seconds=pod_grace_seconds,
            zones=zones,
            quota_share=quota_share,
        )

    @property
    def name(self) -> str:
        """The pack's name, the first half of each rule's id."""
        return PACK

    @property
    def version(self) -> str:
        """The pack's version."""
        return VERSION

    @property
    def rule_ids(self) -> list[str]:
        """The ids of all rules."""
        return [rule.id for rule in RULES]

    def validate(self, context: cdk.IPolicyValidationContext) -> cdk.PolicyValidationPluginReport:
        """Check the templates and report what is wrong with them."""
        templates = [(Path(stack.template_path), stack) for stack in context.stack_templates]
        names = _stack_names({path.parent for path, _ in templates})
        assembly = Assembly()
        for path, stack in templates:
            assembly.add_file(
                path,
                stack_name=names.get(path) or stack.stack_construct_path.rpartition("/")[2],
                construct_path=stack.stack_construct_path,
                region=stack.region,
                account=stack.account_id,
            )
        violations = list(check(assembly, self._settings))
        return cdk.PolicyValidationPluginReport(
            success=not violations,
            plugin_version=VERSION,
            violations=[_rendered(group) for group in _grouped(violations)],
        )


def _stack_names(folders: set[Path]) -> dict[Path, str]:
    """The name that each template's stack deploys under: what references to its outputs go by."""
    return {
        stack["file"]: stack["name"]
        for folder in folders
        if (folder / "manifest.json").is_file()
        for stack in manifest_stacks(folder)
    }


def _grouped(violations: list[Violation]) -> list[list[Violation]]:
    """The same finding at several resources is told once."""
    groups: dict[tuple[str, str], list[Violation]] = {}
    for violation in violations:
        groups.setdefault((violation.rule.name, violation.finding.message), []).append(violation)
    return list(groups.values())


def _rendered(group: list[Violation]) -> cdk.PolicyViolation:
    first = group[0]
    return cdk.PolicyViolation(
        rule_name=first.rule.id,
        description=f"{first.finding.message[:1].upper()}{first.finding.message[1:]}. {first.rule.why}",
        fix=f"{first.rule.mend} See {first.rule.url}",
        severity="error",
        violating_resources=[_place(violation.finding) for violation in group],
    )


def _place(finding: Finding) -> cdk.PolicyViolatingResource:
    locations = [finding.location] if finding.location else []
    if isinstance(finding.at, Resource):
        return cdk.PolicyViolatingResource(
            resource_logical_id=finding.at.logical_id, template_path=finding.stack.file, locations=locations
        )
    # Of a stack, not of one resource: such a place has a construct's path and no logical id.
    return cdk.PolicyViolatingResource(construct_path=finding.construct_path, locations=locations)
