"""What `ha lint` finds."""

import json
from pathlib import Path

from ops.lint import lint_template


def template(tmp_path: Path, properties: dict[str, object]) -> Path:
    path = tmp_path / "one.template.json"
    path.write_text(json.dumps({"Resources": {"Key": {"Type": "AWS::KMS::Key", "Properties": properties}}}))
    return path


def test_a_sound_template_has_no_findings(tmp_path: Path) -> None:
    assert lint_template(template(tmp_path, {"EnableKeyRotation": True}), "eu-west-1") == []


def test_a_finding_names_place_and_rule(tmp_path: Path) -> None:
    (finding,) = lint_template(template(tmp_path, {"KeySpec": "ROUND"}), "eu-west-1")

    assert finding.startswith("one.template.json: Resources/Key/Properties/KeySpec: E3030 ")
