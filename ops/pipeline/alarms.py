"""The alarms that decide whether a deployment goes on: a region's composite alarm and the critical ones it is made of.

AWS: "Create a composite alarm",
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Create_Composite_Alarm.html, and DescribeAlarms,
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
)

UNHEALTHY = "unhealthy"
_NAMED = re.compile(r"ALARM\(\s*\"?([^\")]+?)\"?\s*\)")
_KINDS = ["MetricAlarm", "CompositeAlarm"]
_NAMES_A_CALL = 100
_NO_ACCESS = (
    "AccessDenied",
    "AccessDeniedException",
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
)
_CREDENTIALS_HELP = (
    "Sign in first (`aws sso login`, or the pipeline's OIDC role) with a role that may "
    "cloudwatch:DescribeAlarms in this region."
)
# Adaptive: the client slows itself down when CloudWatch throttles it, on top of retrying.
_CONFIGURATION = Config(retries={"mode": "adaptive", "max_attempts": 8}, connect_timeout=5, read_timeout=20)


class NoAccessError(RuntimeError):
    """CloudWatch can't be asked as this caller; the message says what to do."""


class NoAnswerError(RuntimeError):
    """CloudWatch did not answer this time; it may the next."""


class NoAlarmsError(RuntimeError):
    """The region has not the alarms that it should have."""


@dataclass(frozen=True, kw_only=True)
class AlarmState:
    """What CloudWatch says of one alarm: its name, state (``OK``, ``ALARM``, ``INSUFFICIENT_DATA``) and words."""

    name: str
    state: str
    description: str = ""
    reason: str = ""
    since: str = ""


class RegionAlarms:
    """The deciding alarms of one region.

    Arguments:
        name: ``<environment>-<region>``, the first part of every alarm's name and the name of the dashboard.
        region: the AWS region.
        client: a CloudWatch client; default: one made with the caller's credentials.
    """

    def __init__(self, *, name: str, region: str, client: Any = None) -> None:
        """Make the client; nothing is asked yet."""
        self.name = name
        self.region = region
        self._client = client or boto3.client("cloudwatch", region_name=region, config=_CONFIGURATION)

    @property
    def dashboard_url(self) -> str:
        """Where a person looks first."""
        return f"https://{self.region}.console.aws.amazon.com/cloudwatch/home?region={self.region}#dashboards/dashboard/{self.name}"

    def read(self) -> list[AlarmState]:
        """Return the composite alarm's state, then those of the critical alarms in its rule.

        Raises:
            NoAccessError: there are no credentials, or they may not ask.
            NoAlarmsError: the composite alarm, or an alarm of its rule, does not exist.
            NoAnswerError: throttled beyond every retry, or out of reach; worth another try.
        """
        composite_name = f"{self.name}-{UNHEALTHY}"
        composites = self._describe([composite_name])
        if not composites:
            raise NoAlarmsError(
                f"{self.region} has no alarm {composite_name!r}: is the region deployed, and to this account?"
            )
        members = list(dict.fromkeys(name.split(":alarm:")[-1] for name in _NAMED.findall(composites[0]["AlarmRule"])))
        critical = self._describe(members)
        missing = sorted(set(members) - {alarm["AlarmName"] for alarm in critical})
        if missing:
            raise NoAlarmsError(f"{composite_name} watches alarms that {self.region} has not: {', '.join(missing)}")
        return [_state(alarm) for alarm in [*composites, *critical]]

    def _describe(self, names: Sequence[str]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for start in range(0, len(names), _NAMES_A_CALL):
            portion = list(names[start : start + _NAMES_A_CALL])
            try:
                answer = self._client.describe_alarms(AlarmNames=portion, AlarmTypes=_KINDS, MaxRecords=_NAMES_A_CALL)
            except (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError) as error:
                raise NoAccessError(f"no usable AWS credentials ({error}). {_CREDENTIALS_HELP}") from error
            except ClientError as error:
                code = error.response["Error"]["Code"]
                if code in _NO_ACCESS:
                    raise NoAccessError(f"CloudWatch in {self.region} refuses: {error}. {_CREDENTIALS_HELP}") from error
                raise NoAnswerError(str(error)) from error
            except BotoCoreError as error:
                raise NoAnswerError(str(error)) from error
            found += [*answer.get("CompositeAlarms", []), *answer.get("MetricAlarms", [])]
        return found


def _state(alarm: dict[str, Any]) -> AlarmState:
    since = alarm.get("StateUpdatedTimestamp")
    return AlarmState(
        name=alarm["AlarmName"],
        state=alarm["StateValue"],
        description=alarm.get("AlarmDescription") or "",
        reason=alarm.get("StateReason") or "",
        since=f"{since:%Y-%m-%d %H:%M:%S %Z}" if since else "",
    )
