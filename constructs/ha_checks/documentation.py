"""The page that lists the rules, generated from them."""

from ha_checks.rules import RULES


def rules_page() -> str:
    """Return the reference of all rules, in Markdown."""
    lines = [
        "# Rules for high availability",
        "",
        "Generated from the rules in `constructs/ha_checks/` by `make docs`. The pack is a validation plugin of the",
        "CDK that any app can use: it reads the templates at the end of each synthesis, all stacks and regions at",
        "once, and judges only what they tell; what a parameter, a condition or a looked-up value leaves open is",
        "left alone.",
        "",
        "```python",
        "from ha_checks import HighAvailabilityChecks",
        "",
        "cdk.Validations.of(app).add_plugins(HighAvailabilityChecks())",
        "```",
        "",
        "`recovery_objective_seconds` (60), `pod_grace_seconds` (30), `zones` (3) and `quota_share` (0.8) are its",
        "arguments. A finding fails the synthesis. Mend it, or say at the construct, or at one that contains it, why",
        "it is right there; the reason goes into `validation-report.json`:",
        "",
        "```python",
        "cdk.Validations.of(vpc).acknowledge(",
        f'    cdk.Acknowledgment(id="{RULES[2].id}", reason="A sandbox: an outage of one zone is acceptable.")',
        ")",
        "```",
    ]
    for theme in dict.fromkeys(rule.theme for rule in RULES):
        lines += ["", f"## {theme}"]
        for rule in (each for each in RULES if each.theme == theme):
            lines += [
                "",
                f"### {rule.id}",
                "",
                _one_line(rule.check.__doc__ or ""),
                "",
                f"- **Why**: {rule.why}",
                f"- **Mend**: {rule.mend}",
                f"- **Documentation**: <{rule.url}>",
            ]
    return "\n".join(lines) + "\n"


def _one_line(text: str) -> str:
    return " ".join(text.split())
