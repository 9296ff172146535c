"""The sections that shape a region's ground: where it is, its addresses, its name and its cluster."""

import ipaddress
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from environments.base import Cidr, Name, PrincipalArn, RoleArn, Section, nearest
from environments.regions import CATALOGUE, ZONES_NEEDED, default_zones


class Region(Section):
    """One region. Its name alone will do: `regions: [eu-west-1, us-east-1]`."""

    name: str
    """A commercial AWS region."""

    zones: tuple[str, ...] = ()
    """Three availability zones of this account, when the usual ones do not serve (EKS refuses some zones)."""

    cidr: Cidr | None = None
    """The VPC's address block. By default the region's own slot of the supernet, which no other region can have."""

    traffic_dial: Annotated[int, Field(ge=0, le=100)] = 100
    """Percentage of the traffic routed here that Global Accelerator lets in."""

    @model_validator(mode="before")
    @classmethod
    def _accept_a_bare_name(cls, value: object) -> object:
        return {"name": value} if isinstance(value, str) else value

    @field_validator("name")
    @classmethod
    def _is_a_commercial_region(cls, value: str) -> str:
        if value not in CATALOGUE:
            raise ValueError(f"is not a commercial AWS region{nearest(value, CATALOGUE)}")
        return value

    @model_validator(mode="after")
    def _has_three_zones_of_its_own(self) -> Self:
        zones = self.availability_zones
        if len(set(zones)) != ZONES_NEEDED:
            raise ValueError(
                f"needs exactly {ZONES_NEEDED} different availability zones, has {len(set(zones))}: "
                f"give `zones:` with {ZONES_NEEDED} zones that this account sees in {self.name}"
            )
        for zone in zones:
            if zone[:-1] != self.name:
                raise ValueError(f"zone {zone!r} is not in {self.name}: use names such as {self.name}a")
        return self

    @property
    def availability_zones(self) -> tuple[str, ...]:
        """The three zones that the region's VPC spans."""
        return self.zones or default_zones(self.name)


class Domain(Section):
    """The public domain. Its name alone will do: `domain: example.com` creates the hosted zone."""

    name: Annotated[
        str, StringConstraints(pattern=r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$", max_length=253)
    ]
    """The domain, in lower case and without a final dot."""

    hosted_zone_id: Annotated[str, StringConstraints(pattern=r"^Z[A-Z0-9]{1,31}$")] | None = None
    """The Route 53 zone that exists already. Without it the global stack creates the zone."""

    certificate_authorities: tuple[str, ...] = ("amazon.com",)
    """Who may issue certificates for the domain (CAA records)."""

    dnssec_key_arn: (
        Annotated[str, StringConstraints(pattern=r"^arn:aws:kms:us-east-1:\d{12}:key/[0-9a-f-]+$")] | None
    ) = None
    """Sign the created zone with this key: asymmetric ECC_NIST_P256, in us-east-1, where Route 53 looks for it."""

    @model_validator(mode="before")
    @classmethod
    def _accept_a_bare_name(cls, value: object) -> object:
        return {"name": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _signs_only_what_it_creates(self) -> Self:
        if self.hosted_zone_id and self.dnssec_key_arn:
            raise ValueError("dnssec_key_arn signs a zone created here; leave it out for an existing hosted zone")
        return self


class Network(Section):
    """The address plan. Every region takes its own block of one supernet, so that no two can overlap."""

    supernet: Cidr = "10.64.0.0/10"
    """Holds every region's block. The default has a /16 for each region there is."""

    region_prefix_length: Annotated[int, Field(ge=16, le=20)] = 16
    """Size of a region's block. Pods take addresses from it: /16 holds 24,000 of them, /20 1,500."""

    single_nat_gateway: bool = False
    """One NAT gateway for all zones: cheaper, but a zone's failure takes every zone's way out."""

    flow_log_retention_days: Literal[7, 14, 30, 60, 90, 180, 365] = 90
    """How long VPC flow logs are kept."""

    @model_validator(mode="after")
    def _supernet_holds_a_region(self) -> Self:
        network = ipaddress.IPv4Network(self.supernet)
        if not network.is_private:
            raise ValueError(f"supernet {self.supernet} must be private address space (10/8, 172.16/12 or 192.168/16)")
        if network.prefixlen > self.region_prefix_length:
            raise ValueError(
                f"supernet {self.supernet} is smaller than one region's /{self.region_prefix_length}: "
                "give a larger supernet or a longer region_prefix_length"
            )
        if network.overlaps(SERVICE_NETWORK):
            raise ValueError(f"supernet {self.supernet} overlaps {SERVICE_NETWORK}, the clusters' service addresses")
        return self


SERVICE_NETWORK = ipaddress.IPv4Network("172.20.0.0/16")


class ApiServer(Section):
    """Who reaches the Kubernetes API server besides the nodes. It is private unless addresses are named."""

    public_access_cidrs: tuple[Cidr, ...] = ()
    """Addresses that may use the public endpoint. Empty: there is no public endpoint."""

    endpoint_service_principals: tuple[PrincipalArn, ...] = ()
    """Who may connect from other networks through the VPC endpoint service on the network load balancer."""

    @field_validator("public_access_cidrs")
    @classmethod
    def _not_the_whole_world(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if "0.0.0.0/0" in value:
            raise ValueError("0.0.0.0/0 opens the API server to the world: name the addresses that need it")
        return value


class Cluster(Section):
    """The Kubernetes cluster of each region (EKS Auto Mode)."""

    kubernetes_version: Literal["1.35", "1.36"] = "1.36"
    """Minor version. An upgrade goes one minor at a time and cannot be taken back."""

    administrators: tuple[RoleArn, ...] = ()
    """IAM roles that administer the clusters."""

    api_server: ApiServer = ApiServer()
    """Access to the API server."""

    namespaces: tuple[Name, ...] = ("workloads",)
    """Namespaces made in every cluster, with restricted pod security and default-deny network policies."""
