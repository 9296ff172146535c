"""Broader access is found wherever it stands, and nothing that only moved or narrowed is taken for it."""

from typing import Any

import pytest

from ops.impact.networks import Rule, opened
from ops.impact.policies import grants_in, newly_allowed, no_longer_denied
from tests.ops.impact.conftest import PRIMARY, Impacts, Planted, at_path


def _statement(**changes: object) -> dict[str, Any]:
    return {
        "Statement": [
            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/a/*", "Principal": {"AWS": "x"}}
            | changes
        ]
    }


def _allowed(before: dict[str, Any], after: dict[str, Any]) -> list[Any]:
    return newly_allowed(grants_in(before), grants_in(after))


@pytest.mark.parametrize(
    "after",
    [
        _statement(Action=["s3:GetObject", "s3:PutObject"]),
        _statement(Action="s3:*"),
        _statement(Resource="arn:aws:s3:::b/*"),
        _statement(Principal={"AWS": ["x", "y"]}),
        _statement(Principal={"Service": "x"}),
        {"Statement": [{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*", "Principal": {"AWS": "x"}}]},
    ],
)
def test_wider_statement_broadens(after: dict[str, Any]) -> None:
    assert _allowed(_statement(), after)


@pytest.mark.parametrize(
    "after",
    [
        _statement(),
        _statement(Resource="arn:aws:s3:::b/a/b/*"),
        _statement(Action=["s3:getobject"]),
        _statement(Condition={"Bool": {"aws:SecureTransport": "true"}}),
        _statement(Effect="Deny", Action="s3:*"),
        {"Statement": []},
    ],
)
def test_same_or_narrower_statement_does_not(after: dict[str, Any]) -> None:
    assert not _allowed(_statement(), after)


def test_dropped_condition_broadens() -> None:
    before = _statement(Condition={"StringEquals": {"aws:PrincipalOrgID": "o-1"}})
    assert _allowed(before, _statement())


def test_dropped_denial_broadens() -> None:
    before = grants_in(_statement(Effect="Deny"))
    assert [finding.message for finding in no_longer_denied(before, [])] == [
        "no longer denies s3:GetObject on arn:aws:s3:::b/a/* to AWS x"
    ]


@pytest.mark.parametrize(
    ("statement", "world"),
    [
        (_statement(Principal="*"), True),
        (_statement(Principal={"AWS": "*"}), True),
        (_statement(Principal="*", Condition={"ArnLike": {"aws:SourceArn": "arn:aws:sns:::t"}}), False),
        (_statement(Principal={"AWS": "arn:aws:iam::444455556666:root"}), False),
    ],
)
def test_only_an_unnarrowed_star_is_the_world(statement: dict[str, Any], world: bool) -> None:
    assert [finding.world for finding in _allowed({}, statement)] == [world]


def _rule(peer: str, first: str = "443", last: str = "443", protocol: str = "tcp") -> Rule:
    return Rule(direction="ingress", protocol=protocol, first_port=first, last_port=last, peer=peer)


@pytest.mark.parametrize(
    ("rule", "opens"),
    [
        (_rule("10.0.0.0/8"), False),
        (_rule("10.1.0.0/16"), False),
        (_rule("0.0.0.0/0"), True),
        (_rule("10.0.0.0/8", "443", "444"), True),
        (_rule("10.0.0.0/8", protocol="udp"), True),
        (_rule("10.0.0.0/8", "", "", "-1"), True),
        (_rule("${Other}"), True),
    ],
)
def test_rule_opens_what_no_other_did(rule: Rule, opens: bool) -> None:
    assert bool(opened([rule], [_rule("10.0.0.0/8")])) is opens


def test_rule_that_moves_out_of_its_group_opens_nothing(impact_of: Impacts) -> None:
    def move(planted: Planted) -> None:
        group = f"{PRIMARY}/Network/EndpointsSecurityGroup"
        rule = planted.properties(group)["SecurityGroupIngress"].pop()
        group_id = {"Fn::GetAtt": [planted.logical_id(group), "GroupId"]}
        planted.template(PRIMARY).body["Resources"]["Moved"] = {
            "Type": "AWS::EC2::SecurityGroupIngress",
            "Properties": {**rule, "GroupId": group_id},
        }

    assert not any(change.findings for change in impact_of(move).changes)


def test_separate_rule_for_the_world_is_highlighted(impact_of: Impacts) -> None:
    def add(planted: Planted) -> None:
        group_id = {"Fn::GetAtt": [planted.logical_id(f"{PRIMARY}/Database/SecurityGroup"), "GroupId"]}
        planted.template(PRIMARY).body["Resources"]["Open"] = {
            "Type": "AWS::EC2::SecurityGroupIngress",
            "Properties": {"GroupId": group_id, "IpProtocol": "tcp", "FromPort": 5432, "CidrIpv6": "::/0"},
        }

    change = impact_of(add).changes[0]
    assert change.opens_to_the_world
    assert [finding.message for finding in change.findings] == ["lets through tcp port 5432 from ::/0"]


def test_policy_that_comes_with_a_new_role_broadens_nothing(impact_of: Impacts) -> None:
    def add(planted: Planted) -> None:
        resources = planted.template(PRIMARY).body["Resources"]
        trust = {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "x"}}]}
        resources["NewRole"] = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust}}
        resources["NewPolicy"] = {
            "Type": "AWS::IAM::Policy",
            "Properties": {"PolicyDocument": _statement(), "PolicyName": "p", "Roles": [{"Ref": "NewRole"}]},
        }

    assert not any(change.findings for change in impact_of(add).changes)


def test_policy_for_a_role_that_exists_broadens(impact_of: Impacts) -> None:
    def add(planted: Planted) -> None:
        role = {"Ref": planted.logical_id(f"{PRIMARY}/Cluster/Cluster/Role")}
        planted.template(PRIMARY).body["Resources"]["NewPolicy"] = {
            "Type": "AWS::IAM::Policy",
            "Properties": {"PolicyDocument": _statement(), "PolicyName": "p", "Roles": [role]},
        }

    assert [str(effect) for effect in impact_of(add).changes[0].classes] == ["broadening", "creation"]


def test_managed_policy_on_a_role_broadens(impact_of: Impacts) -> None:
    def attach(planted: Planted) -> None:
        role = planted.properties(f"{PRIMARY}/Cluster/Cluster/Role")
        role.setdefault("ManagedPolicyArns", []).append("arn:aws:iam::aws:policy/AdministratorAccess")

    change = at_path(impact_of(attach), f"{PRIMARY}/Cluster/Cluster/Role")
    assert "attaches arn:aws:iam::aws:policy/AdministratorAccess" in [finding.message for finding in change.findings]
