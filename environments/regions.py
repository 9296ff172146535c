"""The commercial regions an environment may name, and each one's place in the address plan.

The order is the address plan: a region's slot in the supernet is its index here, so removing a region from an
environment never renumbers another one. **Append only.** Regions and their names follow
https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html.
"""

from dataclasses import dataclass

ZONES_NEEDED = 3


@dataclass(frozen=True)
class RegionFacts:
    """What the plan knows of one region.

    Arguments:
        title: the region's name for people.
        zone_letters: zones offered to every account, as letters; accounts may see more.
    """

    title: str
    zone_letters: str = "abc"


CATALOGUE: dict[str, RegionFacts] = {
    "us-east-1": RegionFacts("US East (N. Virginia)"),
    "us-east-2": RegionFacts("US East (Ohio)"),
    # New accounts are given two of its zones: an environment there names its three zones itself.
    "us-west-1": RegionFacts("US West (N. California)", zone_letters="ab"),
    "us-west-2": RegionFacts("US West (Oregon)"),
    "ca-central-1": RegionFacts("Canada (Central)", zone_letters="abd"),
    "ca-west-1": RegionFacts("Canada West (Calgary)"),
    "mx-central-1": RegionFacts("Mexico (Central)"),
    "sa-east-1": RegionFacts("South America (Sao Paulo)"),
    "eu-west-1": RegionFacts("Europe (Ireland)"),
    "eu-west-2": RegionFacts("Europe (London)"),
    "eu-west-3": RegionFacts("Europe (Paris)"),
    "eu-central-1": RegionFacts("Europe (Frankfurt)"),
    "eu-central-2": RegionFacts("Europe (Zurich)"),
    "eu-north-1": RegionFacts("Europe (Stockholm)"),
    "eu-south-1": RegionFacts("Europe (Milan)"),
    "eu-south-2": RegionFacts("Europe (Spain)"),
    "il-central-1": RegionFacts("Israel (Tel Aviv)"),
    "me-central-1": RegionFacts("Middle East (UAE)"),
    "me-south-1": RegionFacts("Middle East (Bahrain)"),
    "af-south-1": RegionFacts("Africa (Cape Town)"),
    "ap-east-1": RegionFacts("Asia Pacific (Hong Kong)"),
    "ap-east-2": RegionFacts("Asia Pacific (Taipei)"),
    "ap-northeast-1": RegionFacts("Asia Pacific (Tokyo)", zone_letters="acd"),
    "ap-northeast-2": RegionFacts("Asia Pacific (Seoul)"),
    "ap-northeast-3": RegionFacts("Asia Pacific (Osaka)"),
    "ap-south-1": RegionFacts("Asia Pacific (Mumbai)"),
    "ap-south-2": RegionFacts("Asia Pacific (Hyderabad)"),
    "ap-southeast-1": RegionFacts("Asia Pacific (Singapore)"),
    "ap-southeast-2": RegionFacts("Asia Pacific (Sydney)"),
    "ap-southeast-3": RegionFacts("Asia Pacific (Jakarta)"),
    "ap-southeast-4": RegionFacts("Asia Pacific (Melbourne)"),
    "ap-southeast-5": RegionFacts("Asia Pacific (Malaysia)"),
    "ap-southeast-6": RegionFacts("Asia Pacific (New Zealand)"),
    "ap-southeast-7": RegionFacts("Asia Pacific (Thailand)"),
}


def slot(region: str) -> int:
    """Return the region's place in the address plan; stable for ever."""
    return list(CATALOGUE).index(region)


def default_zones(region: str) -> tuple[str, ...]:
    """Return up to three zones that every account has in the region; with fewer, the environment names its own."""
    return tuple(f"{region}{letter}" for letter in CATALOGUE[region].zone_letters[:ZONES_NEEDED])
