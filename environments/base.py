"""What every part of the environment's model shares: strictness, messages and the field types used throughout."""

import difflib
import ipaddress
from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints


class Section(BaseModel):
    """A part of an environment file. Unknown keys are refused; a read section never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


def nearest(value: str, known: Iterable[str]) -> str:
    """Return `` (did you mean 'x'?)`` for the known value nearest to a wrong one, or an empty string."""
    matches = difflib.get_close_matches(value, list(known), n=1)
    return f" (did you mean {matches[0]!r}?)" if matches else ""


def _canonical_network(value: str) -> str:
    try:
        network = ipaddress.IPv4Network(value)
    except ValueError as error:
        raise ValueError(f"must be an IPv4 network such as 10.64.0.0/16: {error}") from error
    return str(network)


Cidr = Annotated[str, AfterValidator(_canonical_network)]
"""An IPv4 network in CIDR notation, with no host bits set."""

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", min_length=1, max_length=40)]
"""Lower-case letters, digits and single hyphens, starting with a letter."""

RoleArn = Annotated[str, StringConstraints(pattern=r"^arn:aws:iam::\d{12}:role/[\w+=,.@/-]+$")]
"""The ARN of an IAM role, e.g. arn:aws:iam::111122223333:role/platform."""

PrincipalArn = Annotated[str, StringConstraints(pattern=r"^arn:aws:iam::\d{12}:(root|(role|user)/[\w+=,.@/-]+)$")]
"""The ARN of an account's root, a role or a user."""
