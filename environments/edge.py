"""The sections for how traffic comes in and how people are told."""

from typing import Annotated, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from environments.base import Section


class Ingress(Section):
    """The load balancers behind the accelerator, in every region."""

    health_check_path: Annotated[str, StringConstraints(pattern=r"^/[\w./~-]*$", max_length=1024)] = "/healthz"
    """Path that every HTTP workload answers with 200 while it is fit to serve."""

    deregistration_delay_seconds: Annotated[int, Field(ge=0, le=3600)] = 20
    """Time that requests in flight have when a pod leaves; shorter than the pods' termination grace, 30 by default."""

    client_keep_alive_seconds: Annotated[int, Field(ge=60, le=604_800)] = 60
    """How long a client's connection is reused. The default of AWS, 3600, keeps clients on a failing region."""

    rate_limit_per_five_minutes: Annotated[int, Field(ge=10, le=2_000_000_000)] = 2000
    """Requests that one client address may send in five minutes before the firewall blocks it."""

    firewall_count_only: bool = False
    """Let the firewall's managed rules count instead of block: for watching a new rule set."""

    tcp_ports: tuple[Annotated[int, Field(ge=1, le=65_535)], ...] = ()
    """Ports carried by the network load balancer for workloads that do not speak HTTP."""

    @field_validator("tcp_ports")
    @classmethod
    def _leaves_taken_ports_alone(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        for port in (80, 443):
            if port in value:
                raise ValueError(f"port {port} is the HTTP listener's: choose another")
        if len(set(value)) != len(value):
            raise ValueError("a port is declared twice")
        # Global Accelerator allows ten port ranges a listener.
        if len(value) > 10:
            raise ValueError(f"at most 10 TCP ports fit on the accelerator's listener, there are {len(value)}")
        return value


class Slack(Section):
    """A Slack channel, through Amazon Q Developer in chat applications (authorise the workspace there first)."""

    workspace_id: Annotated[str, StringConstraints(pattern=r"^[0-9A-Z]{1,255}$")]
    """Workspace id, e.g. T0123456789."""

    channel_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{1,255}$")]
    """Channel id, e.g. C0123456789."""


UUID = r"^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$"


class Teams(Section):
    """A Microsoft Teams channel, through Amazon Q Developer in chat applications (authorise the team first)."""

    tenant_id: Annotated[str, StringConstraints(pattern=UUID)]
    """Microsoft Entra tenant."""

    team_id: Annotated[str, StringConstraints(pattern=UUID)]
    """Team (group) id."""

    channel_id: Annotated[str, StringConstraints(min_length=1, max_length=256)]
    """Channel id, as in the channel's link: 19%3A...%40thread.tacv2."""


class Alerts(Section):
    """Who is told. At least one channel: an alarm that nobody hears is none."""

    email: tuple[Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")], ...] = ()
    """E-mail addresses, for every severity. Each confirms its subscription once a region."""

    sms: tuple[Annotated[str, StringConstraints(pattern=r"^\+[1-9]\d{6,14}$")], ...] = ()
    """Telephone numbers (E.164, e.g. +4915112345678), for critical alerts only."""

    slack: Slack | None = None
    """Slack channel, for every severity."""

    teams: Teams | None = None
    """Microsoft Teams channel, for every severity."""

    @model_validator(mode="after")
    def _reach_somebody(self) -> Self:
        if not (self.email or self.sms or self.slack or self.teams):
            raise ValueError("name at least one of email, sms, slack, teams")
        return self
