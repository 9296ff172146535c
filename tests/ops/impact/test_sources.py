"""Both sides of a comparison are found: folders, environments, git revisions, and what is deployed."""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ops.impact import command, live, sources
from ops.impact.templates import Template, read_templates
from ops.impact.values import plain
from tests.ops.impact.conftest import PRIMARY


def _assembly(directory: Path, templates: dict[str, dict[str, Any]], *, protected: bool = True) -> Path:
    directory.mkdir()
    artifacts = {}
    for name, body in templates.items():
        (directory / f"{name}.template.json").write_text(json.dumps(body), encoding="utf-8")
        artifacts[name] = {
            "type": "aws:cloudformation:stack",
            "environment": "aws://111122223333/eu-west-1",
            "properties": {"templateFile": f"{name}.template.json", "terminationProtection": protected},
        }
    (directory / "manifest.json").write_text(json.dumps({"artifacts": artifacts}), encoding="utf-8")
    return directory


def _queue(**properties: object) -> dict[str, Any]:
    return {"Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": properties}}}


def _run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    command.register(parser.add_subparsers())
    parsed = parser.parse_args(["impact", *arguments])
    code: int = parsed.run(parsed)
    return code


@pytest.fixture
def folders(tmp_path: Path) -> tuple[str, str]:
    """Two assemblies of another app; a queue is renamed."""
    before = _assembly(tmp_path / "before", {"shop": _queue(QueueName="orders")})
    after = _assembly(tmp_path / "after", {"shop": _queue(QueueName="orders-two")})
    return str(before), str(after)


def test_two_folders_of_any_app_are_compared(folders: tuple[str, str], tmp_path: Path) -> None:
    out = tmp_path / "reports" / "impact.json"
    assert _run("--base", folders[0], "--head", folders[1], "--format", "json", "--out", str(out)) == 0
    assert json.loads(out.read_text(encoding="utf-8"))["changes"][0]["classes"] == ["replacement"]


def test_gate_exits_with_one_and_prints_the_approval(
    folders: tuple[str, str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert _run("--base", folders[0], "--head", folders[1], "--gate", "--format", "markdown") == 1
    assert '- change: "shop/Queue: replacement"' in capsys.readouterr().err


def test_gate_exits_with_zero_once_it_is_approved(folders: tuple[str, str], tmp_path: Path) -> None:
    approvals = tmp_path / "approvals.yaml"
    approvals.write_text('- {change: "shop/Queue: replacement", reason: "drained"}\n', encoding="utf-8")
    assert _run("--base", folders[0], "--head", folders[1], "--gate", "--approvals", str(approvals)) == 0


def test_without_the_gate_nothing_is_refused(folders: tuple[str, str]) -> None:
    assert _run("--base", folders[0], "--head", folders[1]) == 0


@pytest.mark.parametrize(
    ("base", "message"), [("no-such-revision", "nor a git revision"), ("tests", "is no cloud assembly")]
)
def test_what_cannot_be_compared_exits_with_two(
    folders: tuple[str, str],
    capsys: pytest.CaptureFixture[str],
    base: str,
    message: str,
) -> None:
    assert _run("--base", base, "--head", folders[1]) == 2
    assert message in " ".join(capsys.readouterr().err.split())


def test_bad_approvals_exit_with_two(
    folders: tuple[str, str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    approvals = tmp_path / "approvals.yaml"
    approvals.write_text('- {change: "shop/Queue: replacement"}\n', encoding="utf-8")
    assert _run("--base", folders[0], "--head", folders[1], "--gate", "--approvals", str(approvals)) == 2
    assert 'has no "reason"' in capsys.readouterr().err


def test_termination_protection_is_read_from_the_manifest(tmp_path: Path) -> None:
    for protected in (True, False):
        directory = _assembly(tmp_path / str(protected), {"shop": _queue()}, protected=protected)
        assert read_templates(directory)[0].termination_protection is protected


def test_nested_stacks_are_read_too(tmp_path: Path) -> None:
    nested = {"Type": "AWS::CloudFormation::Stack", "Metadata": {"aws:asset:path": "inner.json"}}
    directory = _assembly(tmp_path / "nested", {"shop": {"Resources": {"Inner": nested}}})
    (directory / "inner.json").write_text(json.dumps(_queue(QueueName="x")), encoding="utf-8")
    assert [template.name for template in read_templates(directory)] == ["shop", "shop/Inner"]


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git repository with an app of its own, whose library lies where this project's does."""
    root = tmp_path / "repository"
    (root / "constructs" / "ha_constructs").mkdir(parents=True)
    (root / "cdk.json").write_text('{"context": {"flag": true}}', encoding="utf-8")
    (root / "app.py").write_text(
        "import json, os\n"
        "from pathlib import Path\n"
        "from ha_constructs import NAME\n"
        "out, context = Path(os.environ['CDK_OUTDIR']), json.loads(os.environ['CDK_CONTEXT_JSON'])\n"
        "assert context['flag'] and os.environ['CDK_VALIDATION'] == 'false'\n"
        "out.mkdir()\n"
        "body = {'Resources': {'Q': {'Type': 'AWS::SQS::Queue', 'Properties': {'QueueName': NAME}}}}\n"
        "(out / 't.json').write_text(json.dumps(body))\n"
        "stack = {'type': 'aws:cloudformation:stack', 'environment': 'aws://111122223333/eu-west-1',\n"
        "         'properties': {'templateFile': 't.json', 'stackName': context['environment']}}\n"
        "(out / 'manifest.json').write_text(json.dumps({'artifacts': {'s': stack}}))\n",
        encoding="utf-8",
    )
    library = root / "constructs" / "ha_constructs" / "__init__.py"
    library.write_text('NAME = "old"\n', encoding="utf-8")
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
    for arguments in (["init", "-q"], ["add", "."], [*identity, "commit", "-q", "-m", "first"]):
        subprocess.run(["git", *arguments], cwd=root, check=True)
    library.write_text('NAME = "new"\n', encoding="utf-8")
    monkeypatch.setattr(sources, "REPOSITORY", root)
    return root


def test_revision_is_synthesized_with_its_own_library(repository: Path) -> None:
    head = sources.head_side(None, "shop")
    base = sources.base_side("HEAD", head, "shop")
    names = [side.templates[0].resources["Q"]["Properties"]["QueueName"] for side in (base, head)]
    assert names == ["old", "new"]
    assert base.name.startswith("shop of HEAD (")


def test_worktree_leaves_no_trace(repository: Path) -> None:
    sources.base_side("HEAD", sources.head_side(None, "shop"), "shop")
    listed = subprocess.run(["git", "worktree", "list"], cwd=repository, capture_output=True, text=True, check=True)
    assert len(listed.stdout.splitlines()) == 1


def test_failing_app_is_told_with_its_words(repository: Path) -> None:
    (repository / "app.py").write_text("import sys; sys.exit('no such environment')\n", encoding="utf-8")
    with pytest.raises(sources.ImpactError, match="no such environment"):
        sources.head_side(None, "shop")


def test_this_project_is_synthesized_without_the_cli(reference: list[Template]) -> None:
    side = sources.head_side("reference", None)
    assert [template.name for template in side.templates] == [template.name for template in reference]
    assert side.templates[1].path_of(next(iter(side.templates[1].resources))).startswith(f"{PRIMARY}/")


def test_live_reads_what_is_deployed_and_leaves_out_what_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    from botocore.exceptions import ClientError

    class Client:
        def describe_stacks(self, *, StackName: str) -> dict[str, Any]:  # noqa: N803 - the SDK's name
            if StackName == "new":
                message = {"Error": {"Code": "ValidationError", "Message": "Stack with id new does not exist"}}
                raise ClientError(message, "DescribeStacks")
            return {"Stacks": [{"EnableTerminationProtection": True}]}

        def get_template(self, **_: str) -> dict[str, Any]:
            return {"TemplateBody": _queue(QueueName="orders")}

    monkeypatch.setattr("boto3.client", lambda *_, **__: Client())
    head = [Template(name=name, region="eu-west-1", body={}) for name in ("shop", "new")]
    found = live.deployed_templates(head)
    assert [(each.name, each.termination_protection) for each in found] == [("shop", True)]


def test_live_without_credentials_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    from botocore.exceptions import NoCredentialsError

    def client(*_: object, **__: object) -> object:
        raise NoCredentialsError

    class Failing:
        def describe_stacks(self, **_: str) -> dict[str, Any]:
            raise NoCredentialsError

    monkeypatch.setattr("boto3.client", lambda *_, **__: Failing())
    with pytest.raises(live.LiveError, match="AWS can't be asked for shop in eu-west-1"):
        live.deployed_templates([Template(name="shop", region="eu-west-1", body={})])


def test_help_answers_without_the_schemas() -> None:
    code = "import sys; import ops.impact.command; sys.exit('cfnlint' in sys.modules or 'boto3' in sys.modules)"
    root = Path(__file__).parents[3]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Fn::Join": ["", ["a", {"Ref": "B"}]]}, "a${B}"),
        ({"Fn::Sub": "arn:${AWS::Partition}:${Key.Arn}"}, "arn:${AWS::Partition}:${Key.Arn}"),
        ({"Fn::Sub": ["x${Y}", {"Y": {"Ref": "Z"}}]}, "x${Z}"),
        ({"Fn::Join": ["", ['{"a":', {"Ref": "N"}, ',"b":"', {"Ref": "T"}, '"}']]}, {"a": "${N}", "b": "${T}"}),
        ('{"a": "[1, 2]"}', {"a": [1, 2]}),
        ("{{resolve:secretsmanager:x}}", "{{resolve:secretsmanager:x}}"),
        ("[not json", "[not json"),
        ({"A": {"Ref": "AWS::NoValue"}, "B": 1}, {"B": 1}),
        (f"{'a' * 64}.zip", "(asset).zip"),
        ({"Fn::GetStackOutput": {"StackName": "s", "OutputName": "o", "Region": "r"}}, "${s output o}"),
        ({"Fn::ImportValue": "e"}, "${export e}"),
        ({"Fn::Select": [0, {"Ref": "L"}]}, {"Fn::Select": [0, "${L}"]}),
    ],
)
def test_template_values_become_comparable(value: Any, expected: Any) -> None:
    assert plain(value) == expected
