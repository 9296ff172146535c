"""RDS proxies with their target group, over the emulator's RDS API.

Refused: a proxy in fewer than two zones, or with groups or secrets that the region lacks; targets that do not exist.
"""

from typing import Any

from ops.emulator.handlers.base import (
    Handler,
    Outcome,
    Refused,
    Request,
    as_bool,
    exists,
    handles,
    quietly,
    tags_of,
)
from ops.emulator.handlers.lookups import groups_of, subnets_of


@handles("AWS::RDS::DBProxy")
class Proxy(Handler):
    """A proxy in front of a database."""

    how = "native"
    reason = "through the emulator's RDS API"

    def check(self, request: Request) -> None:
        """Subnets in two zones, and groups, role and secrets, exist."""
        zones = {subnet["AvailabilityZone"] for subnet in subnets_of(request, request.properties["VpcSubnetIds"])}
        if len(zones) < 2:
            raise Refused("a DB proxy needs subnets in two availability zones at least")
        groups_of(request, request.properties.get("VpcSecurityGroupIds", []))
        for auth in request.properties.get("Auth", []):
            secret = auth.get("SecretArn")
            if secret and exists(request.client("secretsmanager").describe_secret, SecretId=secret) is None:
                raise Refused(f"secret {secret!r} of the proxy does not exist in {request.region}")

    def create(self, request: Request) -> Outcome:
        """Create."""
        names = (
            "DBProxyName", "EngineFamily", "Auth", "RoleArn", "VpcSubnetIds", "VpcSecurityGroupIds", "RequireTLS",
            "IdleClientTimeout", "DebugLogging", "DefaultAuthScheme",
        )  # fmt: skip
        arguments = {name: request.properties[name] for name in names if name in request.properties}
        answer = request.client("rds").create_db_proxy(**_typed(arguments), Tags=tags_of(request.properties))
        return _proxy_outcome(request, answer["DBProxy"])

    def update(self, request: Request) -> Outcome:
        """Change what can be changed."""
        names = ("Auth", "RoleArn", "RequireTLS", "IdleClientTimeout", "DebugLogging")
        arguments = {name: request.properties[name] for name in names if name in request.properties}
        if "VpcSecurityGroupIds" in request.properties:
            arguments["SecurityGroups"] = request.properties["VpcSecurityGroupIds"]
        answer = request.client("rds").modify_db_proxy(DBProxyName=request.physical_id, **_typed(arguments))
        return _proxy_outcome(request, answer["DBProxy"])

    def delete(self, request: Request) -> None:
        """Delete."""
        quietly(request.client("rds").delete_db_proxy, DBProxyName=request.physical_id)


def _typed(arguments: dict[str, Any]) -> dict[str, Any]:
    typed = dict(arguments)
    for name in ("RequireTLS", "DebugLogging"):
        if name in typed:
            typed[name] = as_bool(typed[name])
    if "IdleClientTimeout" in typed:
        typed["IdleClientTimeout"] = int(typed["IdleClientTimeout"])
    return typed


def _proxy_outcome(request: Request, proxy: dict[str, Any]) -> Outcome:
    attributes = {
        "DBProxyArn": proxy["DBProxyArn"],
        "Endpoint": proxy["Endpoint"],
        "VpcId": proxy.get("VpcId") or subnets_of(request, request.properties["VpcSubnetIds"])[0]["VpcId"],
    }
    return Outcome(proxy["DBProxyName"], attributes)


@handles("AWS::RDS::DBProxyTargetGroup")
class ProxyTargetGroup(Handler):
    """What a proxy connects to."""

    how = "native"
    reason = "through the emulator's RDS API"

    def check(self, request: Request) -> None:
        """The proxy and its targets exist."""
        properties, rds = request.properties, request.client("rds")
        if exists(rds.describe_db_proxies, DBProxyName=properties["DBProxyName"]) is None:
            raise Refused(f"DB proxy {properties['DBProxyName']!r} does not exist in {request.region}")
        for name in properties.get("DBInstanceIdentifiers", []):
            if exists(rds.describe_db_instances, DBInstanceIdentifier=name) is None:
                raise Refused(f"DB instance {name!r} of the proxy does not exist in {request.region}")

    def create(self, request: Request) -> Outcome:
        """Register the targets."""
        properties, rds = request.properties, request.client("rds")
        self._configure(request)
        targets = {
            name: properties[name] for name in ("DBInstanceIdentifiers", "DBClusterIdentifiers") if properties.get(name)
        }
        if targets:
            rds.register_db_proxy_targets(DBProxyName=properties["DBProxyName"], TargetGroupName="default", **targets)
        return self._outcome(request)

    def update(self, request: Request) -> Outcome:
        """Exchange the targets."""
        self.delete(request)
        return self.create(request)

    def delete(self, request: Request) -> None:
        """Take the targets away; the default group belongs to the proxy."""
        old = request.previous
        for name in ("DBInstanceIdentifiers", "DBClusterIdentifiers"):
            if old.get(name):
                quietly(
                    request.client("rds").deregister_db_proxy_targets,
                    DBProxyName=old["DBProxyName"],
                    TargetGroupName="default",
                    **{name: old[name]},
                )

    @staticmethod
    def _configure(request: Request) -> None:
        pool = request.properties.get("ConnectionPoolConfigurationInfo")
        if pool:
            numbers = {name: int(value) for name, value in pool.items() if str(value).isdigit()}
            request.client("rds").modify_db_proxy_target_group(
                DBProxyName=request.properties["DBProxyName"],
                TargetGroupName="default",
                ConnectionPoolConfig={**pool, **numbers},
            )

    @staticmethod
    def _outcome(request: Request) -> Outcome:
        name = request.properties["DBProxyName"]
        groups = request.client("rds").describe_db_proxy_target_groups(DBProxyName=name)["TargetGroups"]
        arn = groups[0]["TargetGroupArn"] if groups else request.arn("rds", f"target-group:prx-tg-{request.digest(17)}")
        return Outcome(arn, {"TargetGroupArn": arn})
