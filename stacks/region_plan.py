"""What every part of a region's stack needs to know: whose region it is, and its place among the others."""

from dataclasses import dataclass

from environments import Environment
from environments.platform import Region
from stacks.published import Published, from_region


@dataclass(frozen=True)
class RegionPlan:
    """One region of an environment.

    Arguments:
        environment: the whole.
        region: the one.
    """

    environment: Environment
    region: Region

    @property
    def stack_name(self) -> str:
        """Name of the region's stack, and of what must have a literal name in the region."""
        return self.environment.stack_name(self.region.name)

    @property
    def primary(self) -> str:
        """Name of the primary region."""
        return self.environment.primary.name

    @property
    def is_primary(self) -> bool:
        """Whether this is the primary region."""
        return self.region.name == self.primary

    @property
    def protected(self) -> bool:
        """Whether what holds data is kept and protected."""
        return self.environment.deletion_protection

    def from_primary(self, name: Published) -> str:
        """Read an output of the primary region's stack."""
        return from_region(self.environment, self.primary, name)
