"""Nothing that a child process inherits can lead it out of loopback."""

from pathlib import Path

from ops.rehearsal.surroundings import loopback_environment

REAL = {
    "AWS_PROFILE": "production",
    "AWS_ACCESS_KEY_ID": "AKIAREAL",
    "AWS_SESSION_TOKEN": "real",
    "AWS_ENDPOINT_URL_S3": "https://s3.amazonaws.com",
    "AWS_CONFIG_FILE": "/home/someone/.aws/config",
    "HTTPS_PROXY": "http://proxy.example.com:3128",
    "no_proxy": "*",
    "CDK_DEFAULT_ACCOUNT": "999999999999",
    "PATH": "/usr/bin",
}
EMULATOR = {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566", "AWS_ACCESS_KEY_ID": "111122223333"}


def test_real_credentials_profiles_and_endpoints_are_not_inherited() -> None:
    environment = loopback_environment(EMULATOR, state_directory=Path("state"), inherited=REAL)

    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3", "CDK_DEFAULT_ACCOUNT"} & environment.keys()
    assert environment["AWS_ACCESS_KEY_ID"] == "111122223333"
    assert environment["AWS_CONFIG_FILE"] == environment["AWS_SHARED_CREDENTIALS_FILE"] == "/dev/null"
    assert environment["PATH"] == "/usr/bin"


def test_everything_but_loopback_goes_to_a_closed_port() -> None:
    environment = loopback_environment(EMULATOR, state_directory=Path("state"), inherited=REAL)

    assert environment["HTTPS_PROXY"] == environment["https_proxy"] == environment["HTTP_PROXY"] == "http://127.0.0.1:9"
    assert environment["NO_PROXY"] == environment["no_proxy"] == "127.0.0.1,localhost"
    assert environment["AWS_EC2_METADATA_DISABLED"] == "true"
