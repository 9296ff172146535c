"""EKS pod identities: which role a service account of a cluster has, over the emulator's EKS API.

Refused: an association of a cluster or of a role that does not exist.
"""

from ops.emulator.handlers.base import Outcome, Refused, Request, exists, handles, quietly
from ops.emulator.handlers.eks import OfCluster


@handles("AWS::EKS::PodIdentityAssociation")
class PodIdentityAssociation(OfCluster):
    """Which role a service account has."""

    def check(self, request: Request) -> None:
        """Cluster and role exist."""
        super().check(request)
        role = request.properties["RoleArn"].rsplit("/", 1)[-1]
        if exists(request.client("iam").get_role, RoleName=role) is None:
            raise Refused(f"role {request.properties['RoleArn']!r} does not exist")

    def create(self, request: Request) -> Outcome:
        """Associate."""
        properties = request.properties
        association = request.client("eks").create_pod_identity_association(
            clusterName=properties["ClusterName"],
            namespace=properties["Namespace"],
            serviceAccount=properties["ServiceAccount"],
            roleArn=properties["RoleArn"],
        )["association"]
        return _association_outcome(association)

    def update(self, request: Request) -> Outcome:
        """Exchange the role."""
        eks = request.client("eks")
        association = eks.update_pod_identity_association(
            clusterName=request.properties["ClusterName"],
            associationId=_association_id(request),
            roleArn=request.properties["RoleArn"],
        )["association"]
        return _association_outcome(association)

    def delete(self, request: Request) -> None:
        """Dissociate."""
        quietly(
            request.client("eks").delete_pod_identity_association,
            clusterName=request.properties["ClusterName"],
            associationId=_association_id(request),
        )


def _association_id(request: Request) -> str:
    return request.physical_id.rsplit("/", 1)[-1]


def _association_outcome(association: dict[str, str]) -> Outcome:
    arn = association["associationArn"]
    return Outcome(arn, {"AssociationArn": arn, "AssociationId": association["associationId"]})
