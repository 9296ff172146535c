"""What a change means is told: what stops, for how long, what is lost, what makes the deployment fail."""

import pytest

from ops.impact.behaviours import documented_properties
from ops.impact.changes import REPLACING, Change, Consequence, Effect
from ops.impact.schemas import schema_of
from ops.impact.templates import Template
from tests.ops.impact.conftest import GLOBAL, PRIMARY, SECONDARY, Edit, Impacts, Planted, at_path
from tests.ops.impact.planted import PLANTED, Plant

INSTANCE = f"{PRIMARY}/Database/Instance"


def _told(change: Change) -> Consequence:
    assert change.consequence
    return change.consequence


def _instance(**properties: object) -> Edit:
    return lambda planted: planted.properties(INSTANCE).update(properties)


def test_published_figure_comes_with_its_page(impact_of: Impacts) -> None:
    consequence = _told(at_path(impact_of(PLANTED["instance class"].edit), INSTANCE))
    assert "60 to 120 seconds" in consequence.duration
    assert consequence.source.startswith("https://docs.aws.amazon.com/AmazonRDS/")


def test_maintenance_window_counts_only_when_it_is_asked_for(impact_of: Impacts) -> None:
    now = _told(at_path(impact_of(_instance(DBInstanceClass="db.r7g.xlarge")), INSTANCE)).window
    later = at_path(impact_of(_instance(DBInstanceClass="db.r7g.xlarge", ApplyImmediately=False)), INSTANCE)
    assert now.startswith("none: CloudFormation applies it during the deployment")
    assert _told(later).window == "applied in the next maintenance window (sun:04:00-sun:05:00)"


@pytest.mark.parametrize(
    ("policy", "data"), [("Retain", "retained"), ("Snapshot", "a final snapshot is taken"), ("Delete", "LOST:")]
)
def test_replaced_data_follows_the_policy(impact_of: Impacts, policy: str, data: str) -> None:
    def replace(planted: Planted) -> None:
        planted.properties(INSTANCE)["DBSubnetGroupName"] = "another"
        planted.resource(INSTANCE)["UpdateReplacePolicy"] = policy

    assert data in _told(at_path(impact_of(replace), INSTANCE)).data


def test_fixed_name_refuses_a_replacement(impact_of: Impacts) -> None:
    notes = at_path(impact_of(PLANTED["subnet group"].edit), INSTANCE).notes
    assert any(note.startswith("refused:") and "DBInstanceIdentifier reference-eu-west-1" in note for note in notes)


def test_changed_name_lets_it_be_replaced(impact_of: Impacts) -> None:
    edit = _instance(DBSubnetGroupName="another", DBInstanceIdentifier="reference-two")
    assert not any(note.startswith("refused:") for note in at_path(impact_of(edit), INSTANCE).notes)


def test_fixed_name_refuses_a_rename(impact_of: Impacts) -> None:
    change = at_path(impact_of(PLANTED["construct id of a database renamed"].edit), INSTANCE)
    assert change.notes[0].startswith("refused: DBInstanceIdentifier reference-eu-west-1 is taken")


def test_deletion_protection_refuses_a_deletion(impact_of: Impacts) -> None:
    def delete(planted: Planted) -> None:
        planted.remove(INSTANCE)

    def unretained(planted: Planted) -> None:
        planted.resource(INSTANCE).update(DeletionPolicy="Delete", UpdateReplacePolicy="Delete")

    change = at_path(impact_of(delete, unretained), INSTANCE)
    assert any("deletion protection is on" in note for note in change.notes)
    assert _told(change).data.startswith("LOST:")


def test_database_without_a_policy_leaves_a_snapshot(impact_of: Impacts) -> None:
    def without(planted: Planted) -> None:
        planted.resource(INSTANCE).pop("DeletionPolicy")

    change = at_path(impact_of(lambda planted: planted.remove(INSTANCE), without), INSTANCE)
    assert "deletion policy: Snapshot" in change.notes


def test_another_network_is_refused_by_what_stands_in_it(impact_of: Impacts) -> None:
    impact = impact_of(PLANTED["VPC addresses"].edit)
    for path in ("Cluster/Cluster", "Web/LoadBalancer", "Database/Instance/SubnetGroup"):
        notes = at_path(impact, f"{PRIMARY}/{path}").notes
        assert any("no subnets of another VPC" in note for note in notes), path


def test_immutable_key_is_refused(impact_of: Impacts) -> None:
    path = f"{PRIMARY}/Keys/Cache"
    change = at_path(impact_of(lambda planted: planted.properties(path).update(KeySpec="RSA_2048")), path)
    assert any(note.startswith("refused: AWS does not change KeySpec") for note in change.notes)


def test_other_type_under_the_same_id_is_refused(impact_of: Impacts) -> None:
    def retype(planted: Planted) -> None:
        planted.resource(f"{PRIMARY}/Keys/Secrets")["Type"] = "AWS::KMS::ReplicaKey"

    impact = impact_of(retype)
    change = at_path(impact, f"{PRIMARY}/Keys/Secrets")
    assert (change.effect, bool(change.needs_approval)) == (Effect.REPLACEMENT, True)
    assert change.notes[0].startswith("refused: CloudFormation does not change the type")
    # And across regions: the other region's replica follows the output.
    replica = at_path(impact, f"{SECONDARY}/Keys/SecretsReplica")
    assert replica.effect is Effect.REPLACEMENT
    assert "output SecretsKeyArn is replaced" in replica.details[0].cause


def test_what_may_be_replaced_may_replace_its_dependants(impact_of: Impacts) -> None:
    impact = impact_of(_instance(Engine="aurora-postgresql"))
    assert at_path(impact, INSTANCE).classes == (Effect.CONDITIONAL_REPLACEMENT,)
    others = [change for change in impact.changes if change.path != INSTANCE]
    assert others
    assert all(change.effect is Effect.CONDITIONAL_REPLACEMENT for change in others)
    assert all("may be replaced" in change.details[0].cause for change in others)


def test_online_resharding_spares_the_cache(impact_of: Impacts) -> None:
    path = f"{PRIMARY}/Cache/ReplicationGroup"

    def reshard(planted: Planted) -> None:
        planted.properties(path)["NumNodeGroups"] = 2

    def online(planted: Planted) -> None:
        planted.resource(path)["UpdatePolicy"] = {"UseOnlineResharding": True}

    assert at_path(impact_of(reshard), path).effect is Effect.REPLACEMENT
    # The same edit on another ground.
    assert at_path(impact_of(lambda planted: reshard(planted), online), path).effect is Effect.UPDATE


def test_write_only_property_is_told_to_drift_unseen(impact_of: Impacts) -> None:
    path = f"{PRIMARY}/Database/Secret"
    edit = lambda planted: planted.properties(path)["GenerateSecretString"].update(PasswordLength=40)  # noqa: E731
    assert any("drift of it goes unseen" in note for note in at_path(impact_of(edit), path).notes)


def test_new_stack_is_one_change(reference: list[Template]) -> None:
    from ops.impact.compare import compare

    base = [template for template in reference if template.name != SECONDARY]
    impact = compare(base, reference, base_name="before", head_name="after")
    assert [(change.path, change.effect) for change in impact.changes] == [(SECONDARY, Effect.CREATION)]


def test_removed_stack_says_what_goes_and_what_stays(reference: list[Template]) -> None:
    from ops.impact.compare import compare

    head = [template for template in reference if template.name != SECONDARY]
    change = compare(reference, head, base_name="before", head_name="after").changes[0]
    assert any(note.startswith("outlives it") and "Database/Instance" in note for note in change.notes)
    assert any("`cdk destroy`" in note for note in change.notes)


def test_whole_construct_renamed_is_a_list_of_renames(impact_of: Impacts) -> None:
    def move(planted: Planted) -> None:
        template = planted.template(GLOBAL)
        index = planted.templates.index(template)
        import dataclasses
        import json

        text = (
            json.dumps(template.body)
            .replace("Accelerator7BD2179B", "Edge7BD2179B")
            .replace(f"{GLOBAL}/Accelerator/", f"{GLOBAL}/Edge/")
        )
        for listener in ("AcceleratorWebListener8D0016BF", "AcceleratorTcpListenerADAF36CA"):
            text = text.replace(listener, listener.replace("Accelerator", "Edge"))
        planted.templates[index] = dataclasses.replace(template, body=json.loads(text))

    renames = {change.previous: change.path for change in impact_of(move).changes if change.effect is Effect.RENAME}
    assert renames == {
        f"{GLOBAL}/Accelerator/{name}": f"{GLOBAL}/Edge/{name}"
        for name in ("Accelerator", "WebListener", "TcpListener")
    }


@pytest.mark.parametrize("plant", [plant for plant in PLANTED.values() if set(REPLACING) & plant.classes])
def test_every_loss_says_what_stops_and_where_that_is_written(impact_of: Impacts, plant: Plant) -> None:
    consequence = at_path(impact_of(plant.edit, plant.ground), plant.path).consequence
    assert consequence
    assert consequence.stops
    assert consequence.duration
    assert consequence.source.startswith("https://")


def test_documented_properties_exist_in_the_schemas() -> None:
    """A row for a property that the type does not have would never apply."""
    for resource_type, name, page in documented_properties():
        assert name.split(".")[0] in schema_of(resource_type, "eu-west-1").document["properties"]
        assert page.startswith("https://docs.aws.amazon.com/")
