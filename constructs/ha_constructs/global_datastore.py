"""Part that a cache plays in an ElastiCache Global Datastore."""

import re
from dataclasses import dataclass

MAXIMUM_SECONDARIES = 2
# Global Datastore takes current families, from large up.
_NODE_TYPE = re.compile(r"cache\.(?:m5|m6g|m7g|r5|r6g|r7g|c7gn|r6gd|m8g|r8g|c8gn)\.(?:\d*x)?large")


@dataclass(frozen=True)
class GlobalDatastoreRole:
    """Part that a cache plays in a Global Datastore; make it with ``none``, ``primary`` or ``secondary``."""

    suffix: str | None = None
    global_replication_group_id: str | None = None

    @classmethod
    def none(cls) -> "GlobalDatastoreRole":
        """Cache of one region."""
        return cls()

    @classmethod
    def primary(cls, suffix: str) -> "GlobalDatastoreRole":
        """Cache that takes the writes and makes the Global Datastore.

        Args:
            suffix: end of the Global Datastore's id; AWS puts five letters of the region before it.

        Raises:
            ValueError: the suffix is not letters, digits and single hyphens.
        """
        if not re.fullmatch(r"[a-zA-Z][a-zA-Z0-9]*(-[a-zA-Z0-9]+)*", suffix):
            raise ValueError(f"suffix must be letters, digits and single hyphens, got {suffix!r}.")
        return cls(suffix=suffix)

    @classmethod
    def secondary(cls, global_replication_group_id: str, *, position: int = 1) -> "GlobalDatastoreRole":
        """Read-only cache that joins an existing Global Datastore of another region.

        Args:
            global_replication_group_id: id of the Global Datastore, from the primary region's output.
            position: which of the secondaries this is, from 1. Default: 1.

        Raises:
            ValueError: there would be more secondaries than AWS allows, two.
        """
        if not 1 <= position <= MAXIMUM_SECONDARIES:
            raise ValueError(
                f"A Global Datastore has at most {MAXIMUM_SECONDARIES} secondary regions; use "
                f"GlobalDatastoreRole.none() in the others (asked for number {position})."
            )
        return cls(global_replication_group_id=global_replication_group_id)

    @property
    def is_secondary(self) -> bool:
        """Whether the global group owns engine, node type, shards, parameters and encryption."""
        return self.global_replication_group_id is not None

    def check_node_type(self, node_type: str) -> None:
        """Refuse a node type that a Global Datastore does not take; a secondary inherits its own.

        Args:
            node_type: node type of the primary.

        Raises:
            ValueError: the type is older or smaller than AWS allows.
        """
        if self.suffix and not _NODE_TYPE.fullmatch(node_type):
            raise ValueError(
                f"node_type {node_type!r} can't be in a Global Datastore: take cache.r7g.large or another type of "
                "the m5, r5 or newer families from large up."
            )
