"""The sections for what holds or carries data: database, cache, messaging and image registry."""

from typing import Annotated, Literal, Self, get_args

from pydantic import Field, StringConstraints, model_validator

from environments.base import Name, Section, nearest


class Database(Section):
    """PostgreSQL: a Multi-AZ writer in the primary region, a Multi-AZ read replica in every other."""

    engine_version: Annotated[str, StringConstraints(pattern=r"^1[5-9]\.\d{1,2}$")] = "17.9"
    """Full version, the same in every region. Patches are applied by changing it, so that regions never differ."""

    instance_class: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+\.[a-z0-9]+$")] = "r7g.large"
    """Instance class without `db.`; replicas are as large as the writer, so that any of them can take over."""

    storage_gib: Annotated[int, Field(ge=20, le=65_536)] = 100
    """Allocated storage at creation."""

    max_storage_gib: Annotated[int, Field(ge=22, le=65_536)] = 1000
    """Storage autoscaling stops here. At least a tenth above `storage_gib`."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")] = "app"
    """The first database. Changing it replaces the instance."""

    single_zone: bool = False
    """No standby in another zone: a zone's failure then stops the database until it is restored."""

    backup_retention_days: Annotated[int, Field(ge=7, le=35)] = 35
    """Point-in-time recovery window."""

    password_rotation_days: Annotated[int, Field(ge=1, le=365)] = 30
    """How often the generated password is replaced, in every region."""

    @model_validator(mode="after")
    def _storage_can_grow(self) -> Self:
        if self.max_storage_gib < self.storage_gib * 1.1:
            raise ValueError(
                f"max_storage_gib {self.max_storage_gib} must be at least a tenth above storage_gib {self.storage_gib}"
            )
        return self


class Cache(Section):
    """Valkey (ElastiCache), one replication group a region; a Global Datastore joins up to three of them."""

    engine_version: Annotated[str, StringConstraints(pattern=r"^[89]\.\d$")] = "9.0"
    """Valkey version, 8.0 or later, the same in every region."""

    node_type: Annotated[str, StringConstraints(pattern=r"^cache\.[a-z0-9]+\.[a-z0-9]+$")] = "cache.r7g.large"
    """Node type. A Global Datastore takes `large` and up of the m5, m6g, m7g, r5, r6g, r6gd, r7g and c7gn families."""

    shards: Annotated[int, Field(ge=1, le=90)] = 1
    """Shards of the replication group."""

    replicas: Annotated[int, Field(ge=1, le=5)] = 2
    """Replicas of each shard. Two and the primary make one node a zone."""

    global_datastore: bool = True
    """Replicate the primary region's cache to the next two regions. No effect with one region."""


class Queue(Section):
    """An SQS queue with its dead-letter queue, fed by SNS topics and drained by workloads that pull."""

    name: Name
    """Name, unique in the environment."""

    topics: tuple[Name, ...] = ()
    """Topics whose messages it receives; each must be declared."""

    visibility_timeout_seconds: Annotated[int, Field(ge=30, le=43_200)] = 120
    """How long a message taken stays hidden: six times the usual processing time."""

    max_receive_count: Annotated[int, Field(ge=2, le=1000)] = 5
    """Attempts before a message moves to the dead-letter queue."""

    retention_days: Annotated[int, Field(ge=1, le=13)] = 7
    """How long a message waits to be taken. The dead-letter queue counts its 14 days from a message's first arrival."""

    fifo: bool = False
    """Keep order and drop duplicates. Its topics must be `fifo` too."""


class Topic(Section):
    """An SNS topic. Its name alone will do: `topics: [orders]`."""

    name: Name
    """Name, unique in the environment."""

    fifo: bool = False
    """Keep order and drop duplicates."""

    @model_validator(mode="before")
    @classmethod
    def _accept_a_bare_name(cls, value: object) -> object:
        return {"name": value} if isinstance(value, str) else value


class Messaging(Section):
    """Publish and subscribe: topics fan out to queues, in every region."""

    topics: tuple[Topic, ...] = ()
    """What is published."""

    queues: tuple[Queue, ...] = ()
    """Who listens."""

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        topics = {topic.name: topic for topic in self.topics}
        refuse_repeats("topic", [topic.name for topic in self.topics])
        refuse_repeats("queue", [queue.name for queue in self.queues])
        for queue in self.queues:
            for name in queue.topics:
                if name not in topics:
                    known = ", ".join(topics) or "none"
                    raise ValueError(
                        f"queue {queue.name!r} listens to topic {name!r}, which is not declared"
                        f"{nearest(name, topics)}; declared: {known}"
                    )
                if topics[name].fifo != queue.fifo:
                    raise ValueError(f"queue {queue.name!r} and topic {name!r} must both be fifo, or neither")
        return self


Upstream = Literal["ecr-public", "k8s", "quay"]
PrivateUpstream = Literal["docker-hub", "github-container-registry", "gitlab-container-registry"]
SecretName = Annotated[str, StringConstraints(pattern=r"^ecr-pullthroughcache/[\w/+=.@-]+$")]


class Registry(Section):
    """ECR: repositories written in the primary region and replicated to every other."""

    repositories: tuple[Name, ...] = ()
    """Repositories for the workloads' images, named `<environment>/<repository>`."""

    pull_through: tuple[Upstream | PrivateUpstream, ...] = ("ecr-public", "k8s", "quay")
    """Public registries cached in every region, so that pods start while the upstream is down."""

    pull_through_credentials: dict[str, SecretName] = {}
    """For registries that want credentials: the secret that holds them, by the same name in every region."""

    @model_validator(mode="after")
    def _has_no_repeats(self) -> Self:
        refuse_repeats("repository", list(self.repositories))
        refuse_repeats("pull_through registry", list(self.pull_through))
        return self

    @model_validator(mode="after")
    def _has_credentials_where_needed(self) -> Self:
        for name in self.pull_through:
            if name in get_args(PrivateUpstream) and name not in self.pull_through_credentials:
                raise ValueError(f"pull_through registry {name!r} needs a secret: add it to pull_through_credentials")
        for registry in self.pull_through_credentials:
            if registry not in self.pull_through:
                raise ValueError(f"pull_through_credentials names {registry!r}, which pull_through does not list")
        return self


def refuse_repeats(what: str, names: list[str]) -> None:
    """Raise ValueError naming the first of `names` that appears twice."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"{what} {name!r} is declared twice")
        seen.add(name)
