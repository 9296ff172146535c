"""What our extension of SNS topics keeps, and refuses as AWS would."""

from typing import Any

from ops.emulator import Emulator

from .conftest import ACCOUNT, HERE, Deploy, Network, one


def _topic(**more: Any) -> dict[str, Any]:
    return one("AWS::SNS::Topic", TopicName="news", **more)


def test_the_key_of_a_topic_is_told_until_it_is_gone(deploy: Deploy, here: Network, emulator: Emulator) -> None:
    def key() -> str | None:
        arn = f"arn:aws:sns:{HERE}:{ACCOUNT}:news"
        found: str | None = (
            emulator.client("sns").get_topic_attributes(TopicArn=arn)["Attributes"].get("KmsMasterKeyId")
        )
        return found

    stack = deploy(_topic(KmsMasterKeyId=here.key))
    assert key() == here.key
    stack.update(_topic(DisplayName="News"))
    assert key() is None


def test_a_key_of_another_region(deploy: Deploy, there: Network) -> None:
    stack = deploy(one("AWS::SNS::Topic", KmsMasterKeyId=there.key))
    assert f"needs a key of {HERE}" in stack.reason
