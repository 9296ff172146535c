"""The firewall in front of the load balancer."""

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Template

from ha_constructs.web_acl import COMMON, IP_REPUTATION, KNOWN_BAD_INPUTS, RATE_LIMIT, SQL_INJECTION, RegionalWebAcl


def synthesize(**changes: Any) -> Template:
    stack = cdk.Stack(cdk.App(), "Test", env=cdk.Environment(account="111111111111", region="eu-west-1"))
    RegionalWebAcl(stack, "WebAcl", logs_key=kms.Key(stack, "Key"), **changes)
    return Template.from_stack(stack)


@pytest.fixture(scope="module")
def template() -> Template:
    return synthesize()


def rules(template: Template) -> dict[str, dict[str, Any]]:
    (acl,) = template.find_resources("AWS::WAFv2::WebACL").values()
    return {rule["Name"]: rule for rule in sorted(acl["Properties"]["Rules"], key=lambda rule: rule["Priority"])}


def test_everything_that_no_rule_blocks_is_allowed(template: Template) -> None:
    template.has_resource_properties("AWS::WAFv2::WebACL", {"Scope": "REGIONAL", "DefaultAction": {"Allow": {}}})


def test_rules_come_cheapest_first(template: Template) -> None:
    assert list(rules(template)) == [IP_REPUTATION, RATE_LIMIT, KNOWN_BAD_INPUTS, COMMON, SQL_INJECTION]


def test_managed_rules_block(template: Template) -> None:
    assert all(rule["OverrideAction"] == {"None": {}} for rule in rules(template).values() if "OverrideAction" in rule)


def test_rate_limit_blocks_an_address(template: Template) -> None:
    rule = rules(template)[RATE_LIMIT]
    assert rule["Action"] == {"Block": {}}
    assert rule["Statement"]["RateBasedStatement"] == {
        "AggregateKeyType": "IP",
        "Limit": 2000,
        "EvaluationWindowSec": 300,
    }


def test_count_only_blocks_nothing() -> None:
    counting = rules(synthesize(count_only=True)).values()
    assert {str(rule.get("Action", rule.get("OverrideAction"))) for rule in counting} == {"{'Count': {}}"}


def test_single_rules_can_count() -> None:
    statement = rules(synthesize(counted_rules={COMMON: ["SizeRestrictions_BODY"]}))[COMMON]["Statement"]
    assert statement["ManagedRuleGroupStatement"]["RuleActionOverrides"] == [
        {"Name": "SizeRestrictions_BODY", "ActionToUse": {"Count": {}}}
    ]


def test_sql_injection_rules_are_optional() -> None:
    assert SQL_INJECTION not in rules(synthesize(sql_injection_rules=False))


def test_log_group_is_encrypted_and_named_as_waf_demands(template: Template) -> None:
    (group,) = template.find_resources("AWS::Logs::LogGroup").values()
    assert group["Properties"]["LogGroupName"].startswith("aws-waf-logs-")
    assert group["Properties"]["RetentionInDays"] == 90
    assert "KmsKeyId" in group["Properties"]


def test_log_keeps_what_was_blocked_without_credentials(template: Template) -> None:
    (logging,) = template.find_resources("AWS::WAFv2::LoggingConfiguration").values()
    properties = logging["Properties"]
    assert properties["LoggingFilter"]["DefaultBehavior"] == "DROP"
    assert {"ActionCondition": {"Action": "BLOCK"}} in properties["LoggingFilter"]["Filters"][0]["Conditions"]
    assert [field["SingleHeader"]["Name"] for field in properties["RedactedFields"]] == ["authorization", "cookie"]


def test_log_destination_has_no_wildcard_ending(template: Template) -> None:
    (logging,) = template.find_resources("AWS::WAFv2::LoggingConfiguration").values()
    (group_id,) = template.find_resources("AWS::Logs::LogGroup")
    (destination,) = logging["Properties"]["LogDestinationConfigs"]
    assert destination["Fn::Join"][1][-1] == {"Ref": group_id}


def test_unprotected_log_goes_with_the_stack() -> None:
    synthesize(deletion_protection=False).has_resource("AWS::Logs::LogGroup", {"DeletionPolicy": "Delete"})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rate_limit": 9}, "rate_limit must be 10 to 2000000000, got 9"),
        ({"counted_rules": {"AWSManagedRulesCommonRules": ["x"]}}, "Did you mean 'AWSManagedRulesCommonRuleSet'"),
        ({"counted_rules": {SQL_INJECTION: ["x"]}, "sql_injection_rules": False}, "Unknown managed rule group"),
    ],
)
def test_unusable_arguments_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        synthesize(**changes)
