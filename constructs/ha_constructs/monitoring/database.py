"""Alarms of the database: the region's RDS instance, and the proxy before the writer."""

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch

from ha_constructs.alert_channels import Severity
from ha_constructs.monitoring.alarm_book import ONE_MINUTE, Alarm, AlarmBook, Graph, expression, metric
from ha_constructs.monitoring.systems import MonitoredDatabase

GIB = 1024**3
MIB = 1024**2


def monitor_database(book: AlarmBook, database: MonitoredDatabase, *, role: str) -> None:
    """Watch whether the instance lives, its processor, memory, storage and, for a replica, its lag.

    Arguments:
        role: ``writer`` or ``replica``; part of the alarms' names.

    Metrics: Amazon CloudWatch metrics for Amazon RDS
    (https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-metrics.html).
    """
    identifier = database.instance.instance_identifier

    def of(name: str, statistic: str, label: str) -> cloudwatch.Metric:
        return metric("AWS/RDS", name, {"DBInstanceIdentifier": identifier}, statistic=statistic, label=label)

    heartbeat = Alarm(
        name=f"database-{role}-down",
        metric=of("DatabaseConnections", "SampleCount", "Heartbeat (samples)"),
        severity=Severity.CRITICAL,
        below=1,
        missing=cloudwatch.TreatMissingData.BREACHING,
        meaning=(
            f"The database {role} has reported nothing for 5 minutes: it is down or unreachable. A Multi-AZ "
            "failover takes 1 to 2 minutes and does not get here. See the RDS events; then consider promoting "
            "another region."
        ),
    )
    processor = Alarm(
        name=f"database-{role}-processor",
        metric=of("CPUUtilization", "Average", "CPU (%)"),
        severity=Severity.WARNING,
        above=90,
        periods=15,
        meaning=(
            f"The database {role} has been above 90 % CPU for 15 minutes. See Database Insights for the top statements."
        ),
    )
    memory = Alarm(
        name=f"database-{role}-memory",
        metric=of("FreeableMemory", "Minimum", "Freeable memory"),
        severity=Severity.WARNING,
        below=database.minimum_free_memory_mib * MIB,
        periods=15,
        meaning=f"The database {role} is short of memory and will swap. See connections and work_mem; a larger class.",
    )
    storage = Alarm(
        name=f"database-{role}-storage",
        metric=of("FreeStorageSpace", "Minimum", "Free storage"),
        severity=Severity.CRITICAL,
        below=database.minimum_free_storage_gib * GIB,
        meaning=(
            f"The database {role} is nearly out of storage and stops when it is full. Storage autoscaling did not "
            "keep up: it grows at most once in 6 hours, up to its limit. See also old WAL held by a lagging "
            "replica or slot."
        ),
    )
    lines = [of("DatabaseConnections", "Average", "Connections"), of("DiskQueueDepth", "Average", "Disk queue")]
    graphs = [
        Graph(title="Connections and disk queue", lines=[heartbeat, *lines]),
        Graph(title="Processor", lines=[processor]),
        Graph(title="Memory and storage", lines=[memory, storage]),
    ]
    if database.is_replica:
        graphs.append(Graph(title="Behind the writer", lines=[_replica_lag(database, role)]))
    book.add(f"Database {role}", graphs)


def _replica_lag(database: MonitoredDatabase, role: str) -> Alarm:
    seconds = (database.maximum_replica_lag or cdk.Duration.minutes(1)).to_seconds()
    return Alarm(
        name=f"database-{role}-lag",
        metric=metric(
            "AWS/RDS",
            "ReplicaLag",
            {"DBInstanceIdentifier": database.instance.instance_identifier},
            statistic="Maximum",
            label="Replica lag (s)",
        ),
        severity=Severity.WARNING,
        above=seconds,
        meaning=(
            f"The replica is more than {seconds:.0f} s behind its writer: readers see old data, and as much is lost "
            "if it is promoted now. See the writer's write rate, the replica's processor and long transactions on "
            "it."
        ),
    )


def monitor_proxy(book: AlarmBook, proxy_name: str) -> None:
    """Watch whether the proxy gets connections, and how many are left.

    Metrics: Monitoring RDS Proxy metrics with Amazon CloudWatch
    (https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.monitoring.html).
    """

    def of(name: str, statistic: str) -> cloudwatch.Metric:
        return metric("AWS/RDS", name, {"ProxyName": proxy_name}, statistic=statistic, period=ONE_MINUTE)

    used = expression(
        "100 * used / allowed",
        "Database connections in use (%)",
        {"used": of("DatabaseConnections", "Maximum"), "allowed": of("MaxDatabaseConnectionsAllowed", "Maximum")},
    )
    book.add(
        "Database proxy",
        [
            Graph(
                title="Connections to the database",
                lines=[
                    Alarm(
                        name="database-proxy-connections",
                        metric=used,
                        severity=Severity.WARNING,
                        above=80,
                        periods=10,
                        meaning=(
                            "The proxy has used more than 80 % of the connections it may open for 10 minutes. See "
                            "pinned sessions and long transactions before raising the limit."
                        ),
                    )
                ],
            ),
            Graph(
                title="Failed connections",
                lines=[
                    Alarm(
                        name="database-proxy-failures",
                        metric=of("DatabaseConnectionsSetupFailed", "Sum"),
                        severity=Severity.WARNING,
                        above=5,
                        meaning="The proxy fails to connect to the database. See the secret's rotation, the database's "
                        "state and the security groups.",
                    ),
                    of("ClientConnectionsSetupFailedAuth", "Sum"),
                ],
            ),
        ],
    )
