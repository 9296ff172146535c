"""What a bake says and how it ends, for every state that the alarms can be in."""

import datetime
import io
from collections.abc import Iterator, Sequence
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from rich.console import Console

from ops.pipeline.alarms import AlarmState, NoAccessError, NoAlarmsError, NoAnswerError, RegionAlarms
from ops.pipeline.bake import BLIND_LOOKS, EXIT_CODES, watch

NAME, REGION = "production-eu-west-1", "eu-west-1"
QUIET = [AlarmState(name=f"{NAME}-unhealthy", state="OK"), AlarmState(name=f"{NAME}-alb-errors", state="OK")]
FIRING = [
    AlarmState(name=f"{NAME}-unhealthy", state="ALARM", description="This region can't do its work"),
    AlarmState(name=f"{NAME}-alb-errors", state="ALARM", description="Users see errors", reason="5 datapoints"),
]


class Scripted:
    """Alarms that answer as a test says, the last answer again and again."""

    name = NAME
    region = REGION
    dashboard_url = "https://example.com/dashboard"

    def __init__(self, answers: Sequence[list[AlarmState] | Exception]) -> None:
        self.looks = 0
        self._answers = answers

    def read(self) -> list[AlarmState]:
        answer = self._answers[min(self.looks, len(self._answers) - 1)]
        self.looks += 1
        if isinstance(answer, Exception):
            raise answer
        return answer


class Bake:
    """A bake with a clock of its own."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.output = io.StringIO()

    def run(self, alarms: Scripted, *, minutes: float) -> int:
        return watch(
            alarms,
            Console(file=self.output, width=200),
            minutes=minutes,
            interval=15,
            clock=lambda: self.seconds,
            sleep=self._sleep,
        )

    def _sleep(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture
def bake() -> Bake:
    return Bake()


def test_a_quiet_bake_passes_when_its_time_is_over(bake: Bake) -> None:
    alarms = Scripted([QUIET])

    assert bake.run(alarms, minutes=1) == EXIT_CODES["passed"]
    assert bake.seconds == 60
    assert alarms.looks == 5
    assert "1.0 of 1 min: 2 alarms, none fires" in bake.output.getvalue()


def test_the_first_alarm_ends_it_with_name_meaning_and_what_to_do(bake: Bake) -> None:
    alarms = Scripted([QUIET, FIRING, QUIET])

    assert bake.run(alarms, minutes=30) == EXIT_CODES["alarm"]
    assert alarms.looks == 2
    said = bake.output.getvalue()
    for text in ("alb-errors", "Users see errors", "5 datapoints", "make diff", "Roll back", alarms.dashboard_url):
        assert text in said
    assert said.index("alb-errors") < said.index("-unhealthy: ALARM")


def test_alarms_without_data_are_told_and_stop_nothing(bake: Bake) -> None:
    silent = [QUIET[0], AlarmState(name=f"{NAME}-certificate-expiry", state="INSUFFICIENT_DATA")]

    assert bake.run(Scripted([silent]), minutes=0) == EXIT_CODES["passed"]
    assert "1 without data" in bake.output.getvalue()


def test_throttling_for_a_while_is_tolerated(bake: Bake) -> None:
    throttled = NoAnswerError("Rate exceeded")

    assert bake.run(Scripted([throttled, throttled, QUIET]), minutes=1) == EXIT_CODES["passed"]


def test_a_region_that_nobody_can_see_never_passes(bake: Bake) -> None:
    alarms = Scripted([NoAnswerError("Rate exceeded")])

    assert bake.run(alarms, minutes=30) == EXIT_CODES["unknown"]
    assert alarms.looks == BLIND_LOOKS


def test_a_last_look_without_an_answer_is_no_pass(bake: Bake) -> None:
    assert bake.run(Scripted([NoAnswerError("Rate exceeded")]), minutes=0) == EXIT_CODES["unknown"]


@pytest.mark.parametrize("error", [NoAccessError("no usable AWS credentials"), NoAlarmsError("has no alarm")])
def test_what_waiting_will_not_mend_ends_it_at_once(bake: Bake, error: Exception) -> None:
    alarms = Scripted([error])

    assert bake.run(alarms, minutes=30) == EXIT_CODES["unknown"]
    assert alarms.looks == 1
    assert str(error) in bake.output.getvalue()


@pytest.fixture
def client() -> Any:
    return boto3.client("cloudwatch", region_name=REGION, aws_access_key_id="a", aws_secret_access_key="b")


@pytest.fixture
def stubber(client: Any) -> Iterator[Stubber]:
    with Stubber(client) as stub:
        yield stub


def _alarm(name: str, **more: Any) -> dict[str, Any]:
    when = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
    return {"AlarmName": name, "StateValue": "OK", "StateUpdatedTimestamp": when, **more}


def _composite(*names: str) -> dict[str, Any]:
    rule = " OR ".join(f'ALARM("arn:aws:cloudwatch:{REGION}:111122223333:alarm:{name}")' for name in names)
    return {"CompositeAlarms": [_alarm(f"{NAME}-unhealthy", AlarmRule=f"({rule})")]}


def test_the_composite_alarm_says_which_are_critical(client: Any, stubber: Stubber) -> None:
    asked = {"AlarmTypes": ["MetricAlarm", "CompositeAlarm"], "MaxRecords": 100}
    critical = [f"{NAME}-alb-errors", f"{NAME}-cache-down"]
    stubber.add_response("describe_alarms", _composite(*critical), {**asked, "AlarmNames": [f"{NAME}-unhealthy"]})
    answer = {"MetricAlarms": [_alarm(name) for name in critical]}
    stubber.add_response("describe_alarms", answer, {**asked, "AlarmNames": critical})

    states = RegionAlarms(name=NAME, region=REGION, client=client).read()

    assert [state.name for state in states] == [f"{NAME}-unhealthy", *critical]
    assert states[0].since == "2026-01-02 03:04:05 UTC"


def test_a_region_without_its_alarms_is_not_a_well_one(client: Any, stubber: Stubber) -> None:
    stubber.add_response("describe_alarms", {})

    with pytest.raises(NoAlarmsError, match="is the region deployed"):
        RegionAlarms(name=NAME, region=REGION, client=client).read()


def test_a_critical_alarm_that_is_gone_is_missed(client: Any, stubber: Stubber) -> None:
    stubber.add_response("describe_alarms", _composite(f"{NAME}-alb-errors"))
    stubber.add_response("describe_alarms", {})

    with pytest.raises(NoAlarmsError, match="alb-errors"):
        RegionAlarms(name=NAME, region=REGION, client=client).read()


@pytest.mark.parametrize(
    ("code", "expected"),
    [("AccessDenied", NoAccessError), ("ExpiredToken", NoAccessError), ("Throttling", NoAnswerError)],
)
def test_refusals_and_throttling_are_told_apart(
    client: Any, stubber: Stubber, code: str, expected: type[Exception]
) -> None:
    stubber.add_client_error("describe_alarms", code)

    with pytest.raises(expected):
        RegionAlarms(name=NAME, region=REGION, client=client).read()


def test_without_credentials_it_says_how_to_get_some(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_ROLE_ARN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    with pytest.raises(NoAccessError, match="Sign in first"):
        RegionAlarms(name=NAME, region=REGION).read()
