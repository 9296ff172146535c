"""Alarms of the EKS control plane, by the metrics that EKS publishes for every cluster at no charge."""

from aws_cdk import aws_cloudwatch as cloudwatch

from ha_constructs.alert_channels import Severity
from ha_constructs.monitoring.alarm_book import Alarm, AlarmBook, Graph, expression, metric

# EKS supports an etcd database of 8 GiB; above it the API server turns read-only.
ETCD_WARNING_BYTES = 6 * 1024**3


def monitor_cluster(book: AlarmBook, cluster_name: str) -> None:
    """Watch API server errors, latency and storage, and pods that find no node.

    Metrics: Monitor cluster data with Amazon CloudWatch
    (https://docs.aws.amazon.com/eks/latest/userguide/cloudwatch.html).
    """

    def sum_of(name: str) -> cloudwatch.Metric:
        return metric("AWS/EKS", name, {"ClusterName": cluster_name}, statistic="Sum")

    def highest(name: str) -> cloudwatch.Metric:
        return metric("AWS/EKS", name, {"ClusterName": cluster_name}, statistic="Maximum")

    # A handful of failed requests in a quiet minute is not an outage: the rate counts from 100 requests a minute.
    error_rate = expression(
        "IF(requests > 100, 100 * errors / requests, 0)",
        "API server errors (%)",
        {"requests": sum_of("apiserver_request_total"), "errors": sum_of("apiserver_request_total_5XX")},
    )
    book.add(
        "Kubernetes control plane",
        [
            Graph(
                title="API server",
                lines=[
                    Alarm(
                        name="cluster-api-errors",
                        metric=error_rate,
                        severity=Severity.CRITICAL,
                        above=5,
                        meaning=(
                            "More than 5 % of the Kubernetes API server's answers are errors. Pods go on running, "
                            "but nothing is scheduled or scaled. See the control plane logs and the AWS Health "
                            "dashboard."
                        ),
                    ),
                    sum_of("apiserver_request_total_429"),
                ],
            ),
            Graph(
                title="Pods that find no node",
                lines=[
                    Alarm(
                        name="cluster-pods-unschedulable",
                        metric=highest("scheduler_pending_pods_UNSCHEDULABLE"),
                        severity=Severity.WARNING,
                        above=0,
                        periods=15,
                        meaning=(
                            "Pods have found no node for 15 minutes. See the pods' events: capacity of the "
                            "instance types, node pool limits, EC2 quotas or unsatisfiable constraints."
                        ),
                    )
                ],
            ),
            Graph(
                title="etcd size",
                lines=[
                    Alarm(
                        name="cluster-storage",
                        metric=highest("apiserver_storage_size_bytes"),
                        severity=Severity.WARNING,
                        above=ETCD_WARNING_BYTES,
                        meaning=(
                            "The cluster's etcd holds more than 6 of the 8 GiB that EKS supports; at 8 GiB it "
                            "turns read-only. Find the kind of object that piles up."
                        ),
                    )
                ],
            ),
        ],
    )
