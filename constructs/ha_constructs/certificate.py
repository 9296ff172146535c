"""The TLS certificate of the domain and of every name one level below it, issued and renewed by ACM."""

from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_route53 as route53
from constructs import Construct


class DomainCertificate(Construct):
    """A public ACM certificate for a zone's apex and wildcard, validated by DNS in that zone.

    Each region needs its own, since a load balancer takes certificates of its region only. The validation record of a
    domain is the same in all regions of an account; CloudFormation writes it to the zone itself, without a Lambda, and
    leaves it there, also when the certificate is deleted: ACM renews the certificates of all regions by that one record
    (60 days before they expire), and a zone that is to be deleted has to be rid of it by hand.

    *The delegation is proved here.* CloudFormation keeps the resource in ``CREATE_IN_PROGRESS`` until ACM has seen the
    validation record from the internet. With a delegated zone that takes a few minutes. Without delegation it waits:
    ACM tries for 72 hours before it gives the request up (DNS validation,
    https://docs.aws.amazon.com/acm/latest/userguide/dns-validation.html). So the global stack owns one of these,
    although it has no load balancer: nothing regional is built before the domain is known to work. With a zone created
    by the same stack, set its name servers at the registrar while the stack waits.

    Updates: domain, key algorithm or validation replace the certificate; the new one is issued before the old one goes.

    Arguments:
        zone: the public hosted zone; an imported one will do, given id and name.
        domain_name: the name to certify. Default the zone's name.
        key_algorithm: default ECDSA P-256: every client since about 2013 can use it, handshakes are smaller and cheaper
            than with RSA. ``RSA_2048`` for older clients.
        transparency_logging: record the certificate in the public transparency logs. Default true: browsers distrust
            public certificates that are not there. Names of internal hosts stay hidden behind the wildcard.

    Exposes ``certificate``, ``certificate_arn`` and ``domain_name``.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        zone: route53.IHostedZone,
        domain_name: str | None = None,
        key_algorithm: acm.KeyAlgorithm | None = None,
        transparency_logging: bool = True,
    ) -> None:
        super().__init__(scope, construct_id)
        self.domain_name: str = domain_name or zone.zone_name
        self.certificate = acm.Certificate(
            self,
            "Certificate",
            domain_name=self.domain_name,
            subject_alternative_names=[f"*.{self.domain_name}"],
            validation=acm.CertificateValidation.from_dns(zone),
            key_algorithm=key_algorithm or acm.KeyAlgorithm.EC_PRIME256_V1,
            transparency_logging_enabled=transparency_logging,
        )
        self.certificate_arn: str = self.certificate.certificate_arn
