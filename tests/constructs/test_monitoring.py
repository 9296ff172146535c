"""All alarms of a region, its dashboard and the composite alarm."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_rds as rds
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk.assertions import Template

from ha_constructs.alert_channels import AlertChannels
from ha_constructs.monitoring import (
    MonitoredCache,
    MonitoredDatabase,
    MonitoredLoadBalancer,
    MonitoredNetworkLoadBalancer,
    MonitoredQueue,
    RegionMonitoring,
    cache_node_ids,
)

NAME = "production-eu-west-1"
MAXIMUM_ALARMS = 45


class Region:
    """A stack with one of everything."""

    def __init__(self) -> None:
        self.stack = cdk.Stack(
            cdk.App(analytics_reporting=False),
            "region",
            env=cdk.Environment(account="111111111111", region="eu-west-1"),
        )
        self.channels = AlertChannels(self.stack, "Alerts", key=kms.Key(self.stack, "Key"), name_prefix=NAME)
        vpc = ec2.Vpc(self.stack, "Vpc", nat_gateways=0)
        subnets = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
        self.database = MonitoredDatabase(
            instance=rds.DatabaseInstance.from_database_instance_attributes(
                self.stack,
                "Database",
                instance_identifier=NAME,
                instance_endpoint_address="database.example.com",
                port=5432,
                security_groups=[],
            )
        )
        self.load_balancer = MonitoredLoadBalancer(
            load_balancer=elbv2.ApplicationLoadBalancer(self.stack, "Web", vpc=vpc, vpc_subnets=subnets),
            target_group=elbv2.ApplicationTargetGroup(self.stack, "WebTargets", vpc=vpc, port=8080),
        )
        self.network_load_balancer = MonitoredNetworkLoadBalancer(
            load_balancer=elbv2.NetworkLoadBalancer(self.stack, "Tcp", vpc=vpc, vpc_subnets=subnets),
            target_groups={5432: elbv2.NetworkTargetGroup(self.stack, "TcpTargets", vpc=vpc, port=5432)},
        )

    def queue(self, name: str) -> MonitoredQueue:
        return MonitoredQueue(
            name=name,
            queue=sqs.Queue(self.stack, f"{name}-queue"),
            dead_letter_queue=sqs.Queue(self.stack, f"{name}-dead-letters"),
        )

    def everything(self) -> dict[str, Any]:
        return {
            "cluster_name": "production",
            "database": replace(self.database, is_replica=True),
            "database_proxy_name": "production",
            "cache": MonitoredCache(
                replication_group_id="production",
                node_ids=cache_node_ids("production", replicas=2),
                global_datastore_secondary=True,
            ),
            "queues": [self.queue("orders"), self.queue("mails")],
            "topics": {"placed": sns.Topic(self.stack, "Placed"), "paid": sns.Topic(self.stack, "Paid")},
            "load_balancer": self.load_balancer,
            "network_load_balancer": self.network_load_balancer,
            "web_acl_metric_name": "production",
            "nat_gateway_ids": ["nat-1", "nat-2", "nat-3"],
            "accelerator_arn": "arn:aws:globalaccelerator::111111111111:accelerator/a1",
            "functions": {"registrar": lambda_.Function.from_function_name(self.stack, "Function", "registrar")},
            "certificate": acm.Certificate.from_certificate_arn(
                self.stack, "Certificate", "arn:aws:acm:eu-west-1:111111111111:certificate/c1"
            ),
            "backup_vault_name": "production",
        }

    def watch(self, **systems: Any) -> RegionMonitoring:
        return RegionMonitoring(self.stack, "Monitoring", channels=self.channels, name=NAME, **systems)


@pytest.fixture
def region() -> Region:
    return Region()


@pytest.fixture(scope="module")
def template() -> Template:
    region = Region()
    region.watch(**region.everything())
    return Template.from_stack(region.stack)


Alarms = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def alarms(template: Template) -> Alarms:
    """Properties of the metric alarms by the last part of their name."""
    return by_name(template)


def by_name(template: Template) -> Alarms:
    found = [resource["Properties"] for resource in template.find_resources("AWS::CloudWatch::Alarm").values()]
    return {alarm["AlarmName"].removeprefix(f"{NAME}-"): alarm for alarm in found}


@pytest.fixture(scope="module")
def topic(template: Template) -> Callable[[str], dict[str, str]]:
    """Reference to the topic of a severity."""

    def find(severity: str) -> dict[str, str]:
        topics = template.find_resources("AWS::SNS::Topic", {"Properties": {"TopicName": f"{NAME}-{severity}"}})
        return {"Ref": next(iter(topics))}

    return find


EXPECTED = {
    "critical": {
        "alb-no-healthy-targets",
        "alb-errors",
        "nlb-5432-no-healthy-targets",
        "cluster-api-errors",
        "database-replica-down",
        "database-replica-storage",
        "cache-down",
    },
    "warning": {
        "alb-unhealthy-targets",
        "alb-slow",
        "alb-connections-refused",
        "nat-ports-exhausted",
        "nat-packets-dropped",
        "cluster-pods-unschedulable",
        "cluster-storage",
        "functions-errors",
        "database-replica-processor",
        "database-replica-memory",
        "database-replica-lag",
        "database-proxy-connections",
        "database-proxy-failures",
        "cache-processor",
        "cache-memory",
        "cache-replication-lag",
        "cache-global-lag",
        "backup-failed",
        "queue-orders-delay",
        "queue-orders-dead-letters",
        "queue-mails-delay",
        "queue-mails-dead-letters",
        "topics-undelivered",
        "certificate-expiry",
    },
    "info": {"waf-blocked", "cache-evictions"},
}


def test_every_system_is_watched(alarms: Alarms) -> None:
    assert set(alarms) == set.union(*EXPECTED.values())


@pytest.mark.parametrize("severity", list(EXPECTED))
def test_alarms_go_to_the_topic_of_their_severity(
    alarms: Alarms, topic: Callable[[str], dict[str, str]], severity: str
) -> None:
    sent = {name for name, alarm in alarms.items() if alarm["AlarmActions"] == [topic(severity)]}
    assert sent == EXPECTED[severity]


def test_what_has_an_urgency_also_tells_when_it_is_over(alarms: Alarms, topic: Callable[[str], dict[str, str]]) -> None:
    for severity in ("critical", "warning"):
        assert all(alarms[name]["OKActions"] == [topic(severity)] for name in EXPECTED[severity])
    assert all("OKActions" not in alarms[name] for name in EXPECTED["info"])


def test_every_alarm_carries_environment_and_region_and_an_explanation(template: Template) -> None:
    for resource in template.find_resources("AWS::CloudWatch::Alarm").values():
        assert resource["Properties"]["AlarmName"].startswith(f"{NAME}-")
        assert len(resource["Properties"]["AlarmDescription"]) > 40


def test_every_period_has_to_be_broken(alarms: Alarms) -> None:
    assert all(alarm["DatapointsToAlarm"] == alarm["EvaluationPeriods"] for alarm in alarms.values())


def test_region_stays_within_its_number_of_alarms(alarms: Alarms) -> None:
    assert len(alarms) <= MAXIMUM_ALARMS


def test_silence_is_an_alarm_only_where_a_living_system_would_speak(alarms: Alarms) -> None:
    silent = {name for name, alarm in alarms.items() if alarm["TreatMissingData"] == "breaching"}
    assert silent == {"alb-no-healthy-targets", "database-replica-down", "cache-down"}


def test_region_is_unhealthy_when_any_critical_alarm_is_on(
    template: Template, alarms: Alarms, topic: Callable[[str], dict[str, str]]
) -> None:
    composite = next(iter(template.find_resources("AWS::CloudWatch::CompositeAlarm").values()))["Properties"]
    assert composite["AlarmName"] == f"{NAME}-unhealthy"
    assert composite["AlarmActions"] == [topic("critical")]
    logical_ids = set(re.findall(r'"Fn::GetAtt": \["(\w+)", "Arn"\]', json.dumps(composite["AlarmRule"])))
    resources = template.find_resources("AWS::CloudWatch::Alarm")
    children = {resources[logical_id]["Properties"]["AlarmName"].removeprefix(f"{NAME}-") for logical_id in logical_ids}
    assert children == EXPECTED["critical"]
    assert "AND" not in json.dumps(composite["AlarmRule"])


def test_health_alarm_is_one_that_route53_can_follow(alarms: Alarms) -> None:
    alarm = alarms["alb-no-healthy-targets"]
    assert "Metrics" not in alarm
    assert alarm["MetricName"] == "HealthyHostCount"
    assert alarm["Statistic"] == "Maximum"
    assert alarm["ComparisonOperator"] == "LessThanThreshold"
    assert alarm["Threshold"] == 1
    assert alarm["Period"] == 60


def test_there_is_one_dashboard_with_the_regions_name(template: Template) -> None:
    template.resource_count_is("AWS::CloudWatch::Dashboard", 1)
    template.has_resource_properties("AWS::CloudWatch::Dashboard", {"DashboardName": NAME})


def test_dashboard_shows_every_system(template: Template) -> None:
    body = json.dumps(next(iter(template.find_resources("AWS::CloudWatch::Dashboard").values())))
    for system in (
        "Application load balancer",
        "Network load balancer",
        "Web application firewall",
        "Accelerator",
        "NAT gateways",
        "Kubernetes control plane",
        "Functions",
        "Database replica",
        "Database proxy",
        "Cache",
        "Backups",
        "Queue orders",
        "Topics",
        "Certificate",
    ):
        assert system in body


def test_accelerator_is_read_where_its_metrics_are(template: Template) -> None:
    body = json.dumps(next(iter(template.find_resources("AWS::CloudWatch::Dashboard").values())))
    assert re.search(r"AWS/GlobalAccelerator.{0,200}us-west-2", body)


def test_formulas_of_one_graph_do_not_take_in_its_other_lines(alarms: Alarms) -> None:
    formulas = [
        query["Expression"] for alarm in alarms.values() for query in alarm.get("Metrics", []) if "Expression" in query
    ]
    assert formulas
    assert not [formula for formula in formulas if "METRICS()" in formula]


def test_nothing_is_made_for_systems_that_are_not_there(region: Region) -> None:
    monitoring = region.watch(cluster_name="production")
    with pytest.raises(RuntimeError, match="alb-no-healthy-targets"):
        _ = monitoring.alb_alarm
    assert monitoring.unhealthy_alarm is not None
    assert set(by_name(Template.from_stack(region.stack))) == {
        "cluster-api-errors",
        "cluster-pods-unschedulable",
        "cluster-storage",
    }


def test_no_composite_alarm_without_critical_alarms(region: Region) -> None:
    monitoring = region.watch(queues=[region.queue("orders")])
    assert monitoring.unhealthy_alarm is None
    Template.from_stack(region.stack).resource_count_is("AWS::CloudWatch::CompositeAlarm", 0)


def test_writer_has_no_lag(region: Region) -> None:
    region.watch(database=region.database)
    names = set(by_name(Template.from_stack(region.stack)))
    assert "database-writer-down" in names
    assert "database-writer-lag" not in names


def test_thresholds_of_a_database_are_its_own(region: Region) -> None:
    region.watch(database=replace(region.database, minimum_free_storage_gib=50))
    assert by_name(Template.from_stack(region.stack))["database-writer-storage"]["Threshold"] == 50 * 1024**3


def test_age_that_a_queue_allows_is_its_own(region: Region) -> None:
    region.watch(queues=[replace(region.queue("orders"), maximum_message_age=cdk.Duration.hours(1))])
    assert by_name(Template.from_stack(region.stack))["queue-orders-delay"]["Threshold"] == 3600


def test_more_nodes_than_an_alarm_can_compute_with_make_a_second_alarm(region: Region) -> None:
    nodes = cache_node_ids("production", replicas=2, shards=4, cluster_mode=True)
    assert len(nodes) == 12
    region.watch(cache=MonitoredCache(replication_group_id="production", node_ids=nodes))
    assert {"cache-down", "cache-down-2"} <= set(by_name(Template.from_stack(region.stack)))


def test_node_ids_are_those_that_elasticache_gives() -> None:
    assert cache_node_ids("cache", replicas=1) == ["cache-001", "cache-002"]
    assert cache_node_ids("cache", replicas=1, shards=2, cluster_mode=True) == [
        "cache-0001-001",
        "cache-0001-002",
        "cache-0002-001",
        "cache-0002-002",
    ]


def test_cache_without_nodes_is_refused(region: Region) -> None:
    with pytest.raises(ValueError, match="at least one"):
        region.watch(cache=MonitoredCache(replication_group_id="production", node_ids=[]))


def test_monitoring_of_nothing_is_refused(region: Region) -> None:
    with pytest.raises(ValueError, match="nothing to watch"):
        region.watch()
