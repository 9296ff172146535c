"""The application as a user starts it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def start(tmp_path: Path, environment: str, *, validation: bool = False) -> subprocess.CompletedProcess[str]:
    context = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    variables = {
        **os.environ,
        "CDK_CONTEXT_JSON": json.dumps({**context, "environment": environment}),
        "CDK_OUTDIR": str(tmp_path / "cdk.out"),
        "CDK_VALIDATION": str(validation).lower(),
    }
    return subprocess.run(
        [sys.executable, "-O", "app.py"], cwd=ROOT, env=variables, capture_output=True, text=True, check=False
    )


def test_the_reference_environment_passes_every_validation(tmp_path: Path) -> None:
    """The one test with cdk-nag's AwsSolutions pack and the CDK's own validator on."""
    result = start(tmp_path, "reference", validation=True)

    assert result.returncode == 0, result.stdout + result.stderr
    report = json.loads((tmp_path / "cdk.out" / "validation-report.json").read_text(encoding="utf-8"))
    names = {plugin["pluginName"] for plugin in report["pluginReports"]}
    assert any("AwsSolutions" in name for name in names), names


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("name: mine\n", "regions: required, and missing"),
        ("name: [\n", "not valid YAML"),
    ],
)
def test_a_wrong_environment_ends_in_one_message(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(content, encoding="utf-8")

    result = start(tmp_path, str(path))

    assert result.returncode != 0
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "cdk.out" / "manifest.json").exists()


def test_no_environment_names_those_there_are(tmp_path: Path) -> None:
    result = start(tmp_path, "")

    assert "production, reference, single-region" in result.stderr
    assert "-c environment=<name or path>" in result.stderr
