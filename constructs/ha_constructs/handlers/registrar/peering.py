"""The registration of a region's network with a peer's."""

from typing import Any

from botocore.exceptions import ClientError

from .calls import Patience, Properties, connect, error_code


class PeeringRegistration:
    """Routes back to this region in the peer's route tables, and DNS resolution in both directions."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience

    def identity(self, properties: Properties) -> str:
        """One registration a connection."""
        return f"{properties['ConnectionId']}/registration"

    def apply(self, properties: Properties, old: Properties) -> dict[str, str]:
        """Wait for the connection, then put the routes and the options in place."""
        connection = properties["ConnectionId"]
        own = connect("ec2", properties["OwnRegion"])
        peer = connect("ec2", properties["PeerRegion"])
        self._activate(peer, connection, may_accept=True)
        self._activate(own, connection, may_accept=False)
        routes = _routes(properties)
        for table, cidr in sorted(routes):
            self._patience.permitted(_put_route, peer, table, cidr, connection)
        for table, cidr in sorted(_routes(old) - routes):
            _remove_route(peer, table, cidr, connection)
        # Between regions, each side's option can be set only from that side's region.
        resolve = {"AllowDnsResolutionFromRemoteVpc": True}
        for client, side in ((own, "RequesterPeeringConnectionOptions"), (peer, "AccepterPeeringConnectionOptions")):
            options = {"VpcPeeringConnectionId": connection, side: resolve}
            self._patience.permitted(client.modify_vpc_peering_connection_options, **options)
        return {"ConnectionId": connection}

    def remove(self, properties: Properties) -> None:
        """Take the routes away that still lead here; the options go with the connection."""
        peer = connect("ec2", properties["PeerRegion"])
        for table, cidr in sorted(_routes(properties)):
            _remove_route(peer, table, cidr, properties["ConnectionId"])

    def _activate(self, client: Any, connection: str, *, may_accept: bool) -> None:
        while True:
            status, message = self._patience.permitted(_connection_status, client, connection)
            if status == "active":
                return
            if status == "pending-acceptance" and may_accept:
                # CloudFormation accepts a connection within one account; this is for one that it left open.
                self._patience.permitted(_accept, client, connection)
            elif status not in {"not-found", "initiating-request", "pending-acceptance", "provisioning"}:
                raise RuntimeError(f"peering connection {connection} is {status}: {message}")
            self._patience.pause(5, f"peering connection {connection}, which is {status}, to become active")


def _routes(properties: Properties) -> set[tuple[str, str]]:
    tables = str(properties.get("PeerRouteTableIds", "")).split(",")
    return {(table.strip(), str(properties["OwnCidr"])) for table in tables if table.strip()}


def _connection_status(client: Any, connection: str) -> tuple[str, str]:
    try:
        found = client.describe_vpc_peering_connections(VpcPeeringConnectionIds=[connection])
    except ClientError as error:
        if error_code(error) != "InvalidVpcPeeringConnectionID.NotFound":
            raise
        return "not-found", ""  # the other region learns of a new connection a little later
    connections = found["VpcPeeringConnections"]
    if not connections:
        return "not-found", ""
    status = connections[0]["Status"]
    return str(status["Code"]), str(status.get("Message", ""))


def _accept(client: Any, connection: str) -> None:
    try:
        client.accept_vpc_peering_connection(VpcPeeringConnectionId=connection)
    except ClientError as error:
        # Accepted already, and this region has yet to learn of it.
        if error_code(error) not in {"InvalidStateTransition", "IncorrectState"}:
            raise


def _put_route(client: Any, table: str, cidr: str, connection: str) -> None:
    route = {"RouteTableId": table, "DestinationCidrBlock": cidr, "VpcPeeringConnectionId": connection}
    try:
        client.create_route(**route)
    except ClientError as error:
        if error_code(error) != "RouteAlreadyExists":
            raise
        client.replace_route(**route)


def _remove_route(client: Any, table: str, cidr: str, connection: str) -> None:
    try:
        tables = client.describe_route_tables(RouteTableIds=[table])["RouteTables"]
        routes = [route for found in tables for route in found["Routes"]]
        # After a replacement the route may lead over the new connection: that one stays.
        if any(
            route.get("DestinationCidrBlock") == cidr and route.get("VpcPeeringConnectionId") == connection
            for route in routes
        ):
            client.delete_route(RouteTableId=table, DestinationCidrBlock=cidr)
    except ClientError as error:
        if error_code(error) not in {"InvalidRouteTableID.NotFound", "InvalidRoute.NotFound"}:
            raise
