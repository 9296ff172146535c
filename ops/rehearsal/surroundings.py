"""The variables that a child process gets: loopback only, dummy credentials only, no telemetry."""

import os
from collections.abc import Mapping
from pathlib import Path

_NEVER_INHERITED = ("AWS_", "AMAZON_", "CDK_", "BOTO_", "TELEMETRY_")
_PROXY_VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
# The discard port: nothing listens there, so whatever tries to leave loopback fails at once instead of leaving.
_CLOSED_PROXY = "http://127.0.0.1:9"


def loopback_environment(
    emulator_environment: Mapping[str, str], *, state_directory: Path, inherited: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Build the variables for the CDK CLI and the CDK app so that they can reach the emulator and nothing else.

    Arguments:
        emulator_environment: what ``Emulator.environment`` says; it wins over everything inherited.
        state_directory: where the CLI keeps its caches instead of the user's home.
        inherited: the caller's variables; default ``os.environ``. Credentials, profiles, endpoints and proxies are
            dropped.
    """
    source = os.environ if inherited is None else inherited
    kept = {
        name: value
        for name, value in source.items()
        if not name.upper().startswith(_NEVER_INHERITED) and name.lower() not in _PROXY_VARIABLES
    }
    proxies = {
        variable: _CLOSED_PROXY
        for name in ("http_proxy", "https_proxy", "all_proxy")
        for variable in (name, name.upper())
    }
    return {
        **kept,
        **proxies,
        **emulator_environment,
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED": "true",
        "CDK_HOME": str(state_directory),
        "CDK_DISABLE_VERSION_CHECK": "true",
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        # cfn-lint and cdk-nag run at `make synth` and in the tests; here they would only cost seconds.
        "CDK_VALIDATION": "false",
        "JSII_SILENCE_WARNING_DEPRECATED_NODE_VERSION": "true",
        "NO_COLOR": "1",
        "PYTHONUNBUFFERED": "1",
    }
