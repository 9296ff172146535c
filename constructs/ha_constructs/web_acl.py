"""Web application firewall in front of a region's load balancer."""

from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_wafv2 as wafv2
from constructs import Construct

from ha_constructs.closest_name import unknown_name

IP_REPUTATION = "AWSManagedRulesAmazonIpReputationList"
KNOWN_BAD_INPUTS = "AWSManagedRulesKnownBadInputsRuleSet"
COMMON = "AWSManagedRulesCommonRuleSet"
SQL_INJECTION = "AWSManagedRulesSQLiRuleSet"
RATE_LIMIT = "RateLimit"

_LOWEST_RATE_LIMIT = 10
_HIGHEST_RATE_LIMIT = 2_000_000_000


class RegionalWebAcl(Construct):
    """AWS WAF web ACL of a region: managed rules and a rate limit, everything else allowed, blocked requests logged.

    Rules, cheapest first: addresses of bad reputation, the rate limit, known bad inputs, the common rule set, and SQL
    injection. Together they use 1,127 of the 1,500 capacity units in the base price. Managed rules follow AWS's
    current version, so protection against new attacks needs no deployment.

    The rate limit counts by source address. Behind Global Accelerator that is the client's own, because endpoints
    that are internal Application Load Balancers always preserve it.

    The log keeps what was blocked or counted, without credentials (``authorization`` and ``cookie`` are redacted),
    in an encrypted log group whose name begins with "aws-waf-logs-", as WAF demands.

    On update: rules change in place, within minutes everywhere. Name and scope are immutable; the name is generated,
    so a replacement would not be blocked.

    Exposes:
        web_acl: the ``wafv2.CfnWebACL``.
        log_group: the ``logs.LogGroup``.
        metric_name: value of the dimension ``WebACL`` of the metrics in AWS/WAFV2.

    Documentation followed:
        AWS Managed Rules rule groups list
        https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-list.html
        Logging AWS WAF web ACL traffic
        https://docs.aws.amazon.com/waf/latest/developerguide/logging-cw-logs.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        logs_key: kms.IKey,
        rate_limit: int = 2_000,
        sql_injection_rules: bool = True,
        count_only: bool = False,
        counted_rules: Mapping[str, Sequence[str]] | None = None,
        logs_retention: logs.RetentionDays = logs.RetentionDays.THREE_MONTHS,
        deletion_protection: bool = True,
    ) -> None:
        """Create the web ACL and its log.

        Args:
            scope: parent construct.
            construct_id: id in the parent.
            logs_key: encrypts the log; its policy must allow CloudWatch Logs of the region.
            rate_limit: requests of one address in 5 minutes, above which it is blocked. 10 to 2,000,000,000.
                Default: 2,000.
            sql_injection_rules: include the managed rules against SQL injection. Default: true.
            count_only: count instead of block, in all rules: to watch a new application first. Default: false.
            counted_rules: by managed rule group, the names of rules that only count, such as
                ``{COMMON: ["SizeRestrictions_BODY"]}`` where bodies above 8 KB are wanted. Default: none.
            logs_retention: how long the log keeps entries. Default: three months.
            deletion_protection: keep the log when the stack is deleted. Default: true.

        Raises:
            ValueError: the rate limit is out of range or ``counted_rules`` names a group that is not used.
        """
        super().__init__(scope, construct_id)
        if not _LOWEST_RATE_LIMIT <= rate_limit <= _HIGHEST_RATE_LIMIT:
            raise ValueError(f"rate_limit must be {_LOWEST_RATE_LIMIT} to {_HIGHEST_RATE_LIMIT}, got {rate_limit}.")
        groups = [KNOWN_BAD_INPUTS, COMMON, *([SQL_INJECTION] if sql_injection_rules else [])]
        counted = {group: list(rules) for group, rules in (counted_rules or {}).items()}
        for group in counted:
            if group not in (IP_REPUTATION, *groups):
                raise unknown_name("managed rule group", group, (IP_REPUTATION, *groups))
        self.metric_name = cdk.Names.unique_resource_name(self, max_length=100)
        rules = [
            self._managed_rule(0, IP_REPUTATION, count_only, counted),
            self._rate_rule(1, rate_limit, count_only),
            *(self._managed_rule(2 + index, group, count_only, counted) for index, group in enumerate(groups)),
        ]
        self.web_acl = wafv2.CfnWebACL(
            self,
            "WebAcl",
            scope="REGIONAL",
            default_action=wafv2.CfnWebACL.DefaultActionProperty(allow={}),
            description="Managed rules and rate limit in front of the application load balancer",
            rules=rules,
            visibility_config=_visibility(self.metric_name),
        )
        self.log_group = self._build_log_group(logs_key, logs_retention, deletion_protection)
        self._build_logging()

    def protect(self, load_balancer: elbv2.IApplicationLoadBalancer) -> wafv2.CfnWebACLAssociation:
        """Put the web ACL in front of a load balancer of the same region."""
        return wafv2.CfnWebACLAssociation(
            self,
            f"Association-{load_balancer.node.id}",
            resource_arn=load_balancer.load_balancer_arn,
            web_acl_arn=self.web_acl.attr_arn,
        )

    def _managed_rule(
        self, priority: int, group: str, count_only: bool, counted: Mapping[str, list[str]]
    ) -> wafv2.CfnWebACL.RuleProperty:
        return wafv2.CfnWebACL.RuleProperty(
            name=group,
            priority=priority,
            override_action=(
                wafv2.CfnWebACL.OverrideActionProperty(count={})
                if count_only
                else wafv2.CfnWebACL.OverrideActionProperty(none={})
            ),
            statement=wafv2.CfnWebACL.StatementProperty(
                managed_rule_group_statement=wafv2.CfnWebACL.ManagedRuleGroupStatementProperty(
                    vendor_name="AWS",
                    name=group,
                    rule_action_overrides=[
                        wafv2.CfnWebACL.RuleActionOverrideProperty(
                            name=rule, action_to_use=wafv2.CfnWebACL.RuleActionProperty(count={})
                        )
                        for rule in counted.get(group, [])
                    ]
                    or None,
                )
            ),
            visibility_config=_visibility(group),
        )

    @staticmethod
    def _rate_rule(priority: int, rate_limit: int, count_only: bool) -> wafv2.CfnWebACL.RuleProperty:
        return wafv2.CfnWebACL.RuleProperty(
            name=RATE_LIMIT,
            priority=priority,
            action=(
                wafv2.CfnWebACL.RuleActionProperty(count={})
                if count_only
                else wafv2.CfnWebACL.RuleActionProperty(block={})
            ),
            statement=wafv2.CfnWebACL.StatementProperty(
                rate_based_statement=wafv2.CfnWebACL.RateBasedStatementProperty(
                    aggregate_key_type="IP", limit=rate_limit, evaluation_window_sec=300
                )
            ),
            visibility_config=_visibility(RATE_LIMIT),
        )

    def _build_log_group(
        self, key: kms.IKey, retention: logs.RetentionDays, deletion_protection: bool
    ) -> logs.LogGroup:
        return logs.LogGroup(
            self,
            "LogGroup",
            log_group_name=f"aws-waf-logs-{self.metric_name}",
            encryption_key=key,
            retention=retention,
            removal_policy=(
                cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE if deletion_protection else cdk.RemovalPolicy.DESTROY
            ),
        )

    def _build_logging(self) -> None:
        stack = cdk.Stack.of(self)
        keep = [{"ActionCondition": {"Action": action}} for action in ("BLOCK", "COUNT", "EXCLUDED_AS_COUNT")]
        wafv2.CfnLoggingConfiguration(
            self,
            "Logging",
            resource_arn=self.web_acl.attr_arn,
            # WAF takes the log group's ARN without the ":*" that CloudFormation's attribute ends with.
            log_destination_configs=[
                stack.format_arn(
                    service="logs",
                    resource="log-group",
                    resource_name=self.log_group.log_group_name,
                    arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
                )
            ],
            # Names inside this untyped property are CloudFormation's own.
            logging_filter={
                "DefaultBehavior": "DROP",
                "Filters": [{"Behavior": "KEEP", "Requirement": "MEETS_ANY", "Conditions": keep}],
            },
            redacted_fields=[
                wafv2.CfnLoggingConfiguration.FieldToMatchProperty(single_header={"Name": header})
                for header in ("authorization", "cookie")
            ],
        )


def _visibility(metric_name: str) -> wafv2.CfnWebACL.VisibilityConfigProperty:
    return wafv2.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, sampled_requests_enabled=True, metric_name=metric_name
    )
