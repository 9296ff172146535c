"""The public DNS zone of the domain: created or taken over, with CAA records, DNSSEC signing and the edge's names."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_route53 as route53
from constructs import Construct

# Route 53 keeps its signing keys and its query logs in one region only.
ROUTE53_HOME_REGION = "us-east-1"
CAA_TTL = cdk.Duration.hours(1)


class PublicZone(Construct):
    """A public hosted zone of Route 53, new or existing.

    A *created* zone serves nobody until its domain is delegated to ``name_servers`` at the registrar or in the parent
    zone. An *existing* zone (``hosted_zone_id``) stays someone else's: this construct adds records to it and never
    deletes it; records of the same name and type must not be there already, or CloudFormation refuses to create them.

    Route 53's data plane is global and independent of any region. Changes to records go through its control plane in
    us-east-1, so no failover of the platform depends on changing a record; a created zone also gets *accelerated
    recovery*, with which Route 53 restores the ability to change records within about an hour of losing that region
    (https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/accelerated-recovery.html).

    *CAA.* ``certificate_authorities`` become ``issue`` and ``issuewild`` records: other authorities must refuse to
    issue for the domain. ACM needs one of amazon.com, amazontrust.com, awstrust.com or amazonaws.com among them
    (https://docs.aws.amazon.com/acm/latest/userguide/setup-caa.html).

    *DNSSEC.* Signing needs an asymmetric KMS key (ECC_NIST_P256) **in us-east-1**, whatever the stack's region
    (https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-configuring-dnssec-cmk-requirements.html). In a stack
    of us-east-1 the construct creates it; elsewhere give ``dnssec_key_arn``, a key whose policy allows
    ``dnssec-route53.amazonaws.com`` to use ``kms:DescribeKey``, ``kms:GetPublicKey``, ``kms:Sign`` and, for AWS
    resources, ``kms:CreateGrant``. Signing takes effect with the DS record at the parent. To stop, remove the DS
    record, wait for its TTL, then turn ``dnssec`` off: the other order makes the domain unresolvable.

    Updates: the domain's name replaces the zone, and with it the delegation.

    Arguments:
        domain_name: the zone's name, without a final dot.
        hosted_zone_id: id of an existing public zone of that name; None (default) creates one.
        certificate_authorities: CAA issuers. Default Amazon; empty adds no CAA records.
        incident_contact: mail address for authorities to report refused requests to (CAA ``iodef``). Default none.
        dnssec: sign the zone; for a created zone only. Default false, since it needs a step at the registrar.
        dnssec_key_arn: signing key in us-east-1; needed where the stack is in another region.
        query_log_group_arn: log group in us-east-1 that takes a record of every query, its resource policy allowing
            ``route53.amazonaws.com``; for a created zone only. Default none: queries are many and mostly noise.
        deletion_protection: keep a created zone and its signing key when the stack is deleted. Without it the zone goes
            with the stack, once it holds no records of others: the validation records of ACM certificates stay behind,
            and Route 53 refuses to delete the zone until they are removed.

    Exposes ``zone``, ``zone_id``, ``domain_name``, ``name_servers`` (None for an existing zone), ``key_signing_key``.

    Raises:
        ValueError: see above: no key in us-east-1, options of a created zone given for an existing one.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        domain_name: str,
        hosted_zone_id: str | None = None,
        certificate_authorities: Sequence[str] = ("amazon.com",),
        incident_contact: str | None = None,
        dnssec: bool = False,
        dnssec_key_arn: str | None = None,
        query_log_group_arn: str | None = None,
        deletion_protection: bool = True,
    ) -> None:
        super().__init__(scope, construct_id)
        _check_domain(domain_name)
        self.domain_name = domain_name
        self._removal_policy = cdk.RemovalPolicy.RETAIN if deletion_protection else cdk.RemovalPolicy.DESTROY
        self.zone: route53.IHostedZone
        self.name_servers: list[str] | None = None
        self.key_signing_key: route53.IKeySigningKey | None = None
        if hosted_zone_id is None:
            created = self._build_zone(query_log_group_arn)
            self.zone = created
            self.name_servers = created.hosted_zone_name_servers
            if dnssec:
                self.key_signing_key = self._build_signing(created, dnssec_key_arn)
        else:
            if dnssec or query_log_group_arn:
                raise ValueError(
                    "dnssec and query_log_group_arn are settings of a created zone; "
                    f"set them where the existing zone {hosted_zone_id} is managed"
                )
            self.zone = route53.HostedZone.from_hosted_zone_attributes(
                self, "Zone", hosted_zone_id=hosted_zone_id, zone_name=domain_name
            )
        self.zone_id: str = self.zone.hosted_zone_id
        if certificate_authorities:
            self._build_caa_record(certificate_authorities, incident_contact)

    def add_edge_records(self, target: route53.IAliasRecordTarget) -> None:
        """Point the domain itself and every name below it that has no record of its own at ``target``.

        Alias records have no TTL of their own: resolvers see that of the target, 60 s for an accelerator, whose
        addresses never change anyway.
        """
        for construct_id, name in (("Apex", self.domain_name), ("Wildcard", f"*.{self.domain_name}")):
            route53.ARecord(
                self,
                construct_id,
                zone=self.zone,
                record_name=f"{name}.",
                target=route53.RecordTarget.from_alias(target),
                comment="The platform's edge",
            )

    def _build_zone(self, query_log_group_arn: str | None) -> route53.PublicHostedZone:
        if query_log_group_arn is not None and _region_of(query_log_group_arn) != ROUTE53_HOME_REGION:
            raise ValueError(
                f"query_log_group_arn: {query_log_group_arn!r} is not in {ROUTE53_HOME_REGION}; "
                "Route 53 writes query logs to that region only"
            )
        zone = route53.PublicHostedZone(
            self,
            "Zone",
            zone_name=self.domain_name,
            query_logs_log_group_arn=query_log_group_arn,
            accelerated_recovery_enabled=True,
            comment=f"Public names of {self.domain_name}",
        )
        zone.apply_removal_policy(self._removal_policy)
        return zone

    def _build_signing(self, zone: route53.PublicHostedZone, key_arn: str | None) -> route53.IKeySigningKey:
        return zone.enable_dnssec(kms_key=self._signing_key(key_arn), key_signing_key_name="key_signing_key_1")

    def _signing_key(self, key_arn: str | None) -> kms.IKey:
        if key_arn is not None:
            if _region_of(key_arn) != ROUTE53_HOME_REGION:
                raise ValueError(
                    f"dnssec_key_arn: {key_arn!r} is not in {ROUTE53_HOME_REGION}; "
                    "Route 53 signs with keys of that region only"
                )
            return kms.Key.from_key_arn(self, "SigningKey", key_arn)
        region = cdk.Stack.of(self).region
        if region != ROUTE53_HOME_REGION:
            raise ValueError(
                f"dnssec in a stack of {region} needs dnssec_key_arn: Route 53 signs with KMS keys of "
                f"{ROUTE53_HOME_REGION} only, and a stack cannot create a key in another region. Create an "
                f"ECC_NIST_P256 key for SIGN_VERIFY in {ROUTE53_HOME_REGION} and give its ARN"
            )
        return kms.Key(
            self,
            "SigningKey",
            description=f"Signs the DNS zone {self.domain_name}",
            key_spec=kms.KeySpec.ECC_NIST_P256,
            key_usage=kms.KeyUsage.SIGN_VERIFY,
            removal_policy=self._removal_policy,
        )

    def _build_caa_record(self, authorities: Sequence[str], incident_contact: str | None) -> None:
        values = [
            route53.CaaRecordValue(flag=0, tag=tag, value=authority)
            for authority in authorities
            for tag in (route53.CaaTag.ISSUE, route53.CaaTag.ISSUEWILD)
        ]
        if incident_contact is not None:
            values.append(route53.CaaRecordValue(flag=0, tag=route53.CaaTag.IODEF, value=f"mailto:{incident_contact}"))
        route53.CaaRecord(
            self,
            "CertificateAuthorities",
            zone=self.zone,
            record_name=f"{self.domain_name}.",
            values=values,
            ttl=CAA_TTL,
        )


def _check_domain(domain_name: str) -> None:
    if domain_name.endswith(".") or "." not in domain_name or domain_name != domain_name.lower():
        raise ValueError(
            f"domain_name: {domain_name!r} will not do; give it in lower case, without a final dot: example.com"
        )


def _region_of(arn: str) -> str:
    parts = arn.split(":")
    return parts[3] if len(parts) > 3 else ""
