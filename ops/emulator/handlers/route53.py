"""Route 53: health checks over the emulator's API, alias targets, DNSSEC.

Refused: a health check of an alarm that does not exist in the region it names; a record outside its zone, or in a zone
that does not exist; an alias whose zone id is not that of its target; a record with a health check that does not exist;
a signing key that is not an asymmetric ECC_NIST_P256 key of us-east-1; DNSSEC without a signing key.
"""

import json
from typing import Any

from ministack.services import route53 as store

from ops.emulator.handlers.base import (
    Attributes,
    Extension,
    Handler,
    Outcome,
    Refused,
    Request,
    as_bool,
    exists,
    extends,
    handles,
    quietly,
    region_of,
)
from ops.emulator.handlers.globalaccelerator import HOSTED_ZONE_ID as ACCELERATOR_ZONE
from ops.emulator.state import GLOBAL, STATE

_CLOUDFRONT_ZONE = "Z2FDTNDATAQYW2"
_SIGNING_KEY = "AWS::Route53::KeySigningKey"


@handles("AWS::Route53::HealthCheck")
class HealthCheck(Handler):
    """A health check."""

    how = "native"
    reason = "through the emulator's Route 53 API"

    def check(self, request: Request) -> None:
        """The alarm of an alarm-based check exists in its region."""
        settings = request.properties["HealthCheckConfig"]
        if settings["Type"] != "CLOUDWATCH_METRIC":
            return
        alarm = settings.get("AlarmIdentifier")
        if not alarm:
            raise Refused("a CLOUDWATCH_METRIC health check needs an AlarmIdentifier")
        answer = request.client("cloudwatch", alarm["Region"]).describe_alarms(
            AlarmNames=[alarm["Name"]], AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        )
        if answer.get("CompositeAlarms"):
            raise Refused(f"alarm {alarm['Name']} is a composite alarm: a health check can only follow a metric alarm")
        if not answer.get("MetricAlarms"):
            raise Refused(f"alarm {alarm['Name']!r} does not exist in {alarm['Region']}")

    def create(self, request: Request) -> Outcome:
        """Create."""
        answer = request.client("route53").create_health_check(
            CallerReference=f"{request.stack}-{request.logical_id}-{request.digest()}",
            HealthCheckConfig=_typed(request.properties["HealthCheckConfig"]),
        )
        health_check_id = answer["HealthCheck"]["Id"]
        tags = request.properties.get("HealthCheckTags")
        if tags:
            request.client("route53").change_tags_for_resource(
                ResourceType="healthcheck", ResourceId=health_check_id, AddTags=tags
            )
        return Outcome(health_check_id, {"HealthCheckId": health_check_id})

    def update(self, request: Request) -> Outcome:
        """Change the settings that may change."""
        fixed = ("Type", "MeasureLatency", "RequestInterval", "RoutingControlArn")
        settings = _typed(request.properties["HealthCheckConfig"])
        arguments = {name: value for name, value in settings.items() if name not in fixed}
        request.client("route53").update_health_check(HealthCheckId=request.physical_id, **arguments)
        return Outcome(request.physical_id, {"HealthCheckId": request.physical_id})

    def delete(self, request: Request) -> None:
        """Delete."""
        quietly(request.client("route53").delete_health_check, HealthCheckId=request.physical_id)


def _typed(settings: dict[str, Any]) -> dict[str, Any]:
    numbers = ("FailureThreshold", "HealthThreshold", "Port", "RequestInterval")
    return {name: int(value) if name in numbers else value for name, value in settings.items()}


@extends("AWS::Route53::HostedZone")
class HostedZone(Extension):
    """A zone's features."""

    def after(self, request: Request, outcome: Outcome) -> Attributes:
        """Keep whether its records can still be changed while us-east-1 is impaired (accelerated recovery)."""
        features = request.properties.get("HostedZoneFeatures", {})
        store._zones[outcome.physical_id]["accelerated_recovery"] = as_bool(features.get("EnableAcceleratedRecovery"))
        return {}


@extends("AWS::Route53::RecordSet")
class RecordSet(Extension):
    """A record, alias or not."""

    def check(self, request: Request) -> None:
        """Zone, alias target and health check fit."""
        properties = request.properties
        zone_id = properties.get("HostedZoneId")
        if zone_id:
            found = exists(request.client("route53").get_hosted_zone, Id=zone_id)
            if found is None:
                raise Refused(f"hosted zone {zone_id!r} does not exist")
            zone, name = found["HostedZone"]["Name"].rstrip("."), properties["Name"].rstrip(".")
            if name != zone and not name.endswith("." + zone):
                raise Refused(f"record {name!r} lies outside its hosted zone {zone!r}")
        if properties.get("AliasTarget"):
            _check_alias(request, properties["AliasTarget"])
        health_check = properties.get("HealthCheckId")
        if health_check and exists(request.client("route53").get_health_check, HealthCheckId=health_check) is None:
            raise Refused(f"health check {health_check!r} does not exist")


def _check_alias(request: Request, alias: dict[str, Any]) -> None:
    name = alias["DNSName"].rstrip(".").removeprefix("dualstack.")
    wanted = _zone_of_target(request, name)
    if wanted and alias["HostedZoneId"] != wanted:
        raise Refused(f"alias to {name} names zone {alias['HostedZoneId']}, but its target's zone is {wanted}")


def _zone_of_target(request: Request, name: str) -> str | None:
    if name.endswith(".awsglobalaccelerator.com"):
        if name not in {record["DnsName"] for record in STATE.find("AWS::GlobalAccelerator::Accelerator").values()}:
            raise Refused(f"alias target {name} is no accelerator's name")
        return ACCELERATOR_ZONE
    if name.endswith(".cloudfront.net"):
        return _CLOUDFRONT_ZONE
    labels = name.split(".")
    if name.endswith(".elb.amazonaws.com") and len(labels) > 4:
        # <name>.<region>.elb.amazonaws.com or <name>.elb.<region>.amazonaws.com
        region = labels[-4]
    elif name.endswith(".amazonaws.com") and "elb" in labels:
        region = labels[labels.index("elb") + 1]
    else:
        return None
    for balancer in request.client("elbv2", region).describe_load_balancers()["LoadBalancers"]:
        if balancer["DNSName"].lower() == name.lower():
            return str(balancer["CanonicalHostedZoneId"])
    raise Refused(f"alias target {name} is no load balancer of {region}")


class _Dnssec(Handler):
    reason = "the emulator answers no DNS queries: state and checks of our handler"
    regional = False

    def update(self, request: Request) -> Outcome:
        """Nothing else changes."""
        return self.create(request)

    def delete(self, request: Request) -> None:
        """Forget."""
        self.forget(request)


@handles(_SIGNING_KEY)
class KeySigningKey(_Dnssec):
    """A key that signs a zone."""

    def check(self, request: Request) -> None:
        """The KMS key is one that can sign."""
        arn = request.properties["KeyManagementServiceArn"]
        if region_of(arn) != "us-east-1":
            raise Refused(f"the signing key must be a KMS key of us-east-1, got {arn}")
        found = exists(request.client("kms", "us-east-1").describe_key, KeyId=arn)
        if found is None:
            raise Refused(f"KMS key {arn} does not exist")
        if found["KeyMetadata"].get("KeySpec") != "ECC_NIST_P256":
            raise Refused(
                f"a signing key must be of the spec ECC_NIST_P256, {arn} is {found['KeyMetadata'].get('KeySpec')}"
            )
        policy = request.client("kms", "us-east-1").get_key_policy(KeyId=arn, PolicyName="default")["Policy"]
        if "dnssec-route53.amazonaws.com" not in json.dumps(json.loads(policy)):
            raise Refused(f"the policy of KMS key {arn} does not let dnssec-route53.amazonaws.com use it")

    def create(self, request: Request) -> Outcome:
        """Note the key."""
        physical_id = f"{request.properties['HostedZoneId']}|{request.properties['Name']}"
        self.keep(request, physical_id, dict(request.properties))
        return Outcome(physical_id, {})


@handles("AWS::Route53::DNSSEC")
class Dnssec(_Dnssec):
    """Signing of a zone."""

    def check(self, request: Request) -> None:
        """The zone has an active signing key."""
        keys = STATE.find(_SIGNING_KEY, GLOBAL).values()
        zone = request.properties["HostedZoneId"]
        if not any(key["HostedZoneId"] == zone and key["Status"] == "ACTIVE" for key in keys):
            raise Refused(f"hosted zone {zone} has no active key-signing key")

    def create(self, request: Request) -> Outcome:
        """Note that the zone is signed."""
        self.keep(request, request.properties["HostedZoneId"], {"Signing": "SIGNING"})
        return Outcome(request.properties["HostedZoneId"], {})
