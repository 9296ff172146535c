"""The generated pages say what the model says."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from environments import Environment
from ops.documentation import ROOT, json_schema, reference_page, stale_pages


def test_no_generated_page_is_stale() -> None:
    assert stale_pages() == [], "run `make docs`"


@pytest.mark.parametrize("path", sorted((ROOT / "environments").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_json_schema_accepts_the_shipped_environments(path: Path) -> None:
    document = yaml.safe_load(path.read_text(encoding="utf-8"))

    jsonschema.validate(document, json.loads(json_schema()))


def test_the_json_schema_refuses_an_unknown_key() -> None:
    document = yaml.safe_load((ROOT / "environments" / "single-region.yaml").read_text(encoding="utf-8"))

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**document, "databse": {}}, json.loads(json_schema()))


def test_the_reference_names_every_key() -> None:
    page = reference_page()

    for name in Environment.model_fields:
        assert f"| `{name}` |" in page
