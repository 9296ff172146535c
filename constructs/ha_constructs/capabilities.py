"""What the platform asks of each interchangeable part, whichever system provides it.

A stack chooses the implementation in one place and then knows only these protocols. They hold what every
implementation can offer, and no more: what is particular to one system stays on its construct.
"""

from typing import Protocol

from aws_cdk import aws_iam as iam


class Database(Protocol):
    """A region's relational database: the writer, or a replica to read from."""

    @property
    def endpoint_address(self) -> str:
        """Host name to connect to."""

    @property
    def port(self) -> int:
        """TCP port."""

    def allow_from_cidr(self, cidr: str, description: str) -> None:
        """Let addresses connect."""

    def grant_connect(self, grantee: iam.IGrantable, user: str) -> iam.Grant:
        """Let an identity connect as a database user, without a password."""


class Cache(Protocol):
    """A region's cache."""

    @property
    def primary_endpoint(self) -> str:
        """Host name to write to."""

    @property
    def reader_endpoint(self) -> str:
        """Host name to read from."""

    @property
    def port(self) -> int:
        """TCP port."""

    def allow_from_cidr(self, cidr: str, description: str) -> None:
        """Let addresses connect."""


class Messaging(Protocol):
    """A region's publish-and-subscribe system."""

    def grant_publish(self, grantee: iam.IGrantable, topic: str) -> iam.Grant:
        """Let an identity publish to a topic."""

    def grant_consume(self, grantee: iam.IGrantable, queue: str) -> iam.Grant:
        """Let an identity take messages from a queue."""


class Registry(Protocol):
    """A region's container image registry."""

    def repository_uri(self, name: str) -> str:
        """Address to pull a declared repository's images from, in this region."""

    def grant_pull(self, grantee: iam.IGrantable) -> None:
        """Let an identity pull images."""
