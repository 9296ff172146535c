"""Settings that the writer and every replica of one PostgreSQL database share."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from aws_cdk import aws_logs as logs
from aws_cdk import aws_rds as rds

# Enhanced monitoring takes these intervals only (0, which turns it off, is not offered).
_MONITORING_INTERVALS = (1, 5, 10, 15, 30, 60)
# RDS refuses a storage ceiling that is less than 10 % above the allocated storage.
_STORAGE_HEADROOM = 1.1
_SECURE_PARAMETERS: Mapping[str, str] = MappingProxyType(
    {
        "rds.force_ssl": "1",
        "log_statement": "ddl",
        "log_min_duration_statement": "1000",
        "log_lock_waits": "1",
    }
)


@dataclass(frozen=True, kw_only=True)
class RdsSettings:
    """What must be equal on the writer and on its replicas, so that a promoted replica can do the writer's work.

    The engine version is a full one and never moves by itself: with automatic minor version upgrades each instance
    would move in its own maintenance window, and a later deployment would ask AWS for a downgrade, which it refuses.
    A minor upgrade is a change of ``engine_version``; PostgreSQL wants **replicas upgraded before the writer**, so
    deploy the secondary regions' stacks first.

    Attributes:
        engine_version: full PostgreSQL version, for example ``18.3``. Default: the newest that the CDK knows.
        instance_class: instance class without the ``db.`` prefix. Default: ``r7g.large``.
        allocated_storage_gib: storage at creation, GiB, 20 to 65536. Default: 100.
        max_storage_gib: ceiling of storage autoscaling, GiB; at least 10 % above the allocated storage. Default: 1000.
        multi_az: keep a synchronous standby in a second zone. Default: true; false is for environments that may stop.
        database_name: database made at creation. Default: ``app``.
        administrator_name: name of the master user. Default: ``platform_admin``.
        port: TCP port. Default: 5432.
        backup_retention_days: days of point-in-time recovery, 1 to 35. Default: 35, the most that RDS keeps.
        backup_window: daily window of automated backups, UTC. Default: ``02:00-03:00``.
        maintenance_window: weekly window of maintenance, UTC. Default: ``sun:04:00-sun:05:00``.
        monitoring_interval_seconds: granularity of enhanced monitoring. Default: 60.
        advanced_insights: Database Insights in its advanced mode, which keeps 465 days of performance data and is
            charged by vCPU. Default: false, the standard mode with 7 days, free of charge.
        log_retention: how long exported PostgreSQL and upgrade logs are kept. Default: three months.
        parameters: PostgreSQL parameters, added to those that force TLS and log DDL, lock waits and statements
            slower than a second. ``rds.force_ssl`` can't be turned off.
        password_rotation_days: days between rotations of the master password. Default: 30.
        proxy_connections_percent: share of the instance's ``max_connections`` that RDS Proxy may open. Default: 90;
            the rest is for the administrator, replication and monitoring.
        proxy_idle_connections_percent: share of ``max_connections`` that the proxy keeps open while idle. Default: 50.
        proxy_borrow_timeout_seconds: how long a client waits for a connection before it gets an error. Default: 30.
        proxy_idle_client_minutes: minutes after which the proxy closes an idle client connection. Default: 30.

    Raises:
        ValueError: a value is out of its range; the message says what would be right.

    Documentation followed:
        Upgrades of the RDS for PostgreSQL DB engine
        https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_UpgradeDBInstance.PostgreSQL.html
        Managing capacity automatically with Amazon RDS storage autoscaling
        https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PIOPS.Autoscaling.html
        Monitoring databases with CloudWatch Database Insights
        https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Database-Insights.html
    """

    engine_version: str = "18.3"
    instance_class: str = "r7g.large"
    allocated_storage_gib: int = 100
    max_storage_gib: int = 1000
    multi_az: bool = True
    database_name: str = "app"
    administrator_name: str = "platform_admin"
    port: int = 5432
    backup_retention_days: int = 35
    backup_window: str = "02:00-03:00"
    maintenance_window: str = "sun:04:00-sun:05:00"
    monitoring_interval_seconds: int = 60
    advanced_insights: bool = False
    log_retention: logs.RetentionDays = logs.RetentionDays.THREE_MONTHS
    parameters: Mapping[str, str] = field(default_factory=dict)
    password_rotation_days: int = 30
    proxy_connections_percent: int = 90
    proxy_idle_connections_percent: int = 50
    proxy_borrow_timeout_seconds: int = 30
    proxy_idle_client_minutes: int = 30

    def __post_init__(self) -> None:
        """Refuse what AWS would refuse, before anything is made of it."""
        if not re.fullmatch(r"\d{2}\.\d{1,2}", self.engine_version):
            raise ValueError(f"engine_version must be a full version such as 18.3, got {self.engine_version!r}.")
        if self.instance_class.startswith("db."):
            raise ValueError(f"instance_class goes without 'db.', so {self.instance_class[3:]!r}.")
        self._check_range("allocated_storage_gib", self.allocated_storage_gib, 20, 65536)
        self._check_range("backup_retention_days", self.backup_retention_days, 1, 35)
        self._check_range("port", self.port, 1150, 65535)
        self._check_range("password_rotation_days", self.password_rotation_days, 1, 1000)
        self._check_range("proxy_connections_percent", self.proxy_connections_percent, 1, 100)
        self._check_range(
            "proxy_idle_connections_percent", self.proxy_idle_connections_percent, 0, self.proxy_connections_percent
        )
        self._check_range("proxy_borrow_timeout_seconds", self.proxy_borrow_timeout_seconds, 1, 300)
        self._check_range("proxy_idle_client_minutes", self.proxy_idle_client_minutes, 1, 480)
        lowest_ceiling = int(self.allocated_storage_gib * _STORAGE_HEADROOM + 0.5)
        if self.max_storage_gib < lowest_ceiling:
            raise ValueError(
                f"max_storage_gib must be {lowest_ceiling} or more (10 % above allocated_storage_gib), "
                f"got {self.max_storage_gib}."
            )
        if self.monitoring_interval_seconds not in _MONITORING_INTERVALS:
            raise ValueError(
                f"monitoring_interval_seconds must be one of {_MONITORING_INTERVALS}, "
                f"got {self.monitoring_interval_seconds}."
            )
        if self.parameters.get("rds.force_ssl", "1") != "1":
            raise ValueError("parameters must leave rds.force_ssl at 1: connections without TLS are not offered.")

    @staticmethod
    def _check_range(name: str, value: int, lowest: int, highest: int) -> None:
        if not lowest <= value <= highest:
            raise ValueError(f"{name} must be {lowest} to {highest}, got {value}.")

    @property
    def major_version(self) -> str:
        """Major version of the engine, for example ``18``."""
        return self.engine_version.partition(".")[0]

    @property
    def engine(self) -> rds.IInstanceEngine:
        """Engine in the terms of the CDK."""
        return rds.DatabaseInstanceEngine.postgres(
            version=rds.PostgresEngineVersion.of(self.engine_version, self.major_version)
        )

    @property
    def all_parameters(self) -> dict[str, str]:
        """PostgreSQL parameters of the parameter group: the secure defaults and what was asked for."""
        return {**_SECURE_PARAMETERS, **self.parameters}
