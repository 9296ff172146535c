"""The model of an environment: everything that a user decides, with defaults fit for production."""

import ipaddress
from typing import Annotated, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from environments.base import Section
from environments.data import Cache, Database, Messaging, Registry, refuse_repeats
from environments.edge import Alerts, Ingress
from environments.platform import Cluster, Domain, Network, Region
from environments.regions import slot

GLOBAL_DATASTORE_REGIONS = 3
"""A Global Datastore has a primary and at most two secondary clusters:
https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Redis-Global-Datastores-Getting-Started.html"""


class Environment(Section):
    """One environment: a global stack and one stack a region, in one account."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", min_length=2, max_length=20)]
    """Prefix of every stack and of every name that must be fixed. Changing it makes another environment."""

    account: Annotated[str, StringConstraints(pattern=r"^\d{12}$")]
    """The AWS account, twelve digits, in quotes."""

    regions: Annotated[tuple[Region, ...], Field(min_length=1, max_length=5)]
    """One to five regions. The first is the primary: it writes the database. A region deploys after those before it."""

    domain: Domain
    """The public domain of the environment."""

    alerts: Alerts
    """Who is told when something is wrong."""

    network: Network = Network()
    """Addresses and ways out."""

    cluster: Cluster = Cluster()
    """Kubernetes."""

    database: Database = Database()
    """Relational database."""

    cache: Cache = Cache()
    """Cache."""

    messaging: Messaging = Messaging()
    """Topics and queues."""

    registry: Registry = Registry()
    """Container images."""

    ingress: Ingress = Ingress()
    """Load balancers and firewall."""

    deletion_protection: bool = True
    """Stacks, clusters, databases and load balancers refuse deletion, and what holds data outlives its stack. Set to
    false and deploy before `make destroy`: then everything goes, the database leaving a final snapshot."""

    tags: dict[
        Annotated[str, StringConstraints(min_length=1, max_length=128)],
        Annotated[str, StringConstraints(max_length=256)],
    ] = {}
    """Tags on every resource, besides `environment`."""

    @field_validator("account", mode="before")
    @classmethod
    def _account_is_text(cls, value: object) -> object:
        if isinstance(value, int):
            raise ValueError(f'write the account in quotes: "{value:012d}"')
        return value

    @field_validator("regions", mode="before")
    @classmethod
    def _one_region_is_a_list_too(cls, value: object) -> object:
        return [value] if isinstance(value, str | dict) else value

    @field_validator("tags")
    @classmethod
    def _leaves_reserved_tags_alone(cls, value: dict[str, str]) -> dict[str, str]:
        for key in value:
            if key.lower().startswith("aws:") or key == "environment":
                raise ValueError(f"tag {key!r} is reserved: choose another key")
        return value

    @model_validator(mode="after")
    def _regions_are_distinct(self) -> Self:
        refuse_repeats("region", [region.name for region in self.regions])
        return self

    @model_validator(mode="after")
    def _addresses_never_overlap(self) -> Self:
        supernet = ipaddress.IPv4Network(self.network.supernet)
        taken: dict[str, ipaddress.IPv4Network] = {}
        for region in self.regions:
            block = ipaddress.IPv4Network(self.cidr(region.name))
            if not block.subnet_of(supernet):
                raise ValueError(f"regions: {region.name}'s cidr {block} is not inside network.supernet {supernet}")
            if not 16 <= block.prefixlen <= 20:
                raise ValueError(f"regions: {region.name}'s cidr {block} must be a /16 to /20")
            for name, other in taken.items():
                if block.overlaps(other):
                    raise ValueError(
                        f"regions: {region.name}'s cidr {block} overlaps {other} of {name}: give one another cidr"
                    )
            taken[region.name] = block
        return self

    @property
    def primary(self) -> Region:
        """The region that writes the database and owns the primary of everything replicated."""
        return self.regions[0]

    @property
    def global_stack_name(self) -> str:
        """Name of the stack for what is global; it lives in the primary region."""
        return f"{self.name}-global"

    def stack_name(self, region: str) -> str:
        """Name of a region's stack."""
        return f"{self.name}-{region}"

    def region(self, name: str) -> Region:
        """The region of that name; KeyError when the environment has none."""
        return next(region for region in self.regions if region.name == name)

    def cidr(self, name: str) -> str:
        """The address block of a region's VPC: the one it names, else its slot of the supernet.

        Raises:
            ValueError: the supernet has no slot for it.
        """
        region = self.region(name)
        if region.cidr:
            return region.cidr
        supernet = ipaddress.IPv4Network(self.network.supernet)
        prefix = self.network.region_prefix_length
        slots = 2 ** (prefix - supernet.prefixlen)
        if slot(name) >= slots:
            raise ValueError(
                f"network.supernet {supernet} has {slots} blocks of /{prefix}, too few for every region there is: "
                f"give {name} its own cidr (`regions: [{{name: {name}, cidr: ...}}]`) or a larger supernet"
            )
        size = 2 ** (32 - prefix)
        return f"{supernet.network_address + slot(name) * size}/{prefix}"

    def earlier_regions(self, name: str) -> tuple[Region, ...]:
        """The regions before it in the file: those it registers itself with."""
        names = [region.name for region in self.regions]
        return self.regions[: names.index(name)]

    def shares_cache(self, name: str) -> bool:
        """Whether the region's cache belongs to the Global Datastore."""
        names = [region.name for region in self.regions[:GLOBAL_DATASTORE_REGIONS]]
        return self.cache.global_datastore and len(self.regions) > 1 and name in names
