"""The environment's words in the library's: what the file says, as the settings that constructs take."""

from aws_cdk import aws_logs as logs

from environments import Environment
from environments.platform import Region
from ha_constructs.chat_channels import SlackChannel, TeamsChannel
from ha_constructs.dead_letter_queue import QueueSettings
from ha_constructs.global_datastore import GlobalDatastoreRole
from ha_constructs.messaging import TopicSettings
from ha_constructs.rds_settings import RdsSettings
from stacks.published import Published, from_region

LOG_RETENTION = {
    7: logs.RetentionDays.ONE_WEEK,
    14: logs.RetentionDays.TWO_WEEKS,
    30: logs.RetentionDays.ONE_MONTH,
    60: logs.RetentionDays.TWO_MONTHS,
    90: logs.RetentionDays.THREE_MONTHS,
    180: logs.RetentionDays.SIX_MONTHS,
    365: logs.RetentionDays.ONE_YEAR,
}


def database_settings(environment: Environment) -> RdsSettings:
    """What the writer and every replica share."""
    database = environment.database
    return RdsSettings(
        engine_version=database.engine_version,
        instance_class=database.instance_class,
        allocated_storage_gib=database.storage_gib,
        max_storage_gib=database.max_storage_gib,
        multi_az=not database.single_zone,
        database_name=database.name,
        backup_retention_days=database.backup_retention_days,
        password_rotation_days=database.password_rotation_days,
    )


def global_datastore_role(environment: Environment, region: Region) -> GlobalDatastoreRole:
    """The part of a region's cache in the Global Datastore; beyond the third region it stands alone."""
    if not environment.shares_cache(region.name):
        return GlobalDatastoreRole.none()
    position = len(environment.earlier_regions(region.name))
    if position == 0:
        return GlobalDatastoreRole.primary(environment.name)
    return GlobalDatastoreRole.secondary(
        from_region(environment, environment.primary.name, Published.CACHE_GLOBAL_REPLICATION_GROUP_ID),
        position=position,
    )


def topic_settings(environment: Environment) -> list[TopicSettings]:
    """Every topic."""
    return [TopicSettings(name=topic.name, fifo=topic.fifo) for topic in environment.messaging.topics]


def queue_settings(environment: Environment) -> list[QueueSettings]:
    """Every queue."""
    return [QueueSettings(**queue.model_dump()) for queue in environment.messaging.queues]


def slack_channel(environment: Environment) -> SlackChannel | None:
    """The Slack channel, where there is one."""
    slack = environment.alerts.slack
    return SlackChannel(**slack.model_dump()) if slack else None


def teams_channel(environment: Environment) -> TeamsChannel | None:
    """The Microsoft Teams channel, where there is one."""
    teams = environment.alerts.teams
    return TeamsChannel(**teams.model_dump()) if teams else None
