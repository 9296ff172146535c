"""``ha docs``: the pages that follow from the model of an environment, JSON schema for editors and reference page."""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from environments import Environment
from ha_checks.documentation import rules_page

ROOT = Path(__file__).parent.parent


def register(subcommands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``docs`` to the command."""
    parser = subcommands.add_parser(
        "docs", help="generate the reference page and the JSON schema of environment files", description=__doc__
    )
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a page is stale")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the stale pages, or with ``--check`` name them, and return the exit code."""
    stale = stale_pages() if arguments.check else write_pages()
    for path in stale:
        print(f"{path.relative_to(ROOT)}: " + ("stale, run `make docs`" if arguments.check else "written"))
    return int(bool(stale) and arguments.check)


def generated_pages() -> dict[Path, str]:
    """Return every generated file's path and the text it should have."""
    return {
        ROOT / "environments" / "environment.schema.json": json_schema(),
        ROOT / "docs" / "environment.md": reference_page(),
        ROOT / "docs" / "rules.md": rules_page(),
    }


def stale_pages() -> list[Path]:
    """Return the generated files that differ from what the model says now."""
    return [
        path
        for path, text in generated_pages().items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]


def write_pages() -> list[Path]:
    """Write the generated files that are stale and return them."""
    stale = stale_pages()
    pages = generated_pages()
    for path in stale:
        path.parent.mkdir(exist_ok=True)
        path.write_text(pages[path], encoding="utf-8")
    return stale


def json_schema() -> str:
    """Return the JSON schema by which editors complete and check an environment file."""
    schema = Environment.model_json_schema()
    _accept_bare_names(schema)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "Environment"
    return json.dumps(schema, indent=2) + "\n"


def _accept_bare_names(schema: dict[str, Any]) -> None:
    """Region, domain and topic may be written as their name alone."""
    for name in ("Region", "Domain", "Topic"):
        full = schema["$defs"].pop(name)
        schema["$defs"][name] = {
            "description": full["description"],
            "anyOf": [{**full["properties"]["name"], "title": f"{name} by name"}, full],
        }


def reference_page() -> str:
    """Return the reference of the environment file, in Markdown."""
    lines = [
        "# The environment file",
        "",
        "Generated from the model in `environments/` by `make docs`. A file in `environments/` is chosen by its name,",
        "any other by its path: `make synth ENV=production`, `cdk synth -c environment=../mine.yaml`.",
        "",
        "A small one, complete:",
        "",
        "```yaml",
        (ROOT / "environments" / "single-region.yaml").read_text(encoding="utf-8").rstrip(),
        "```",
    ]
    for section in _sections(Environment):
        lines += ["", *_section_text(section)]
    return "\n".join(lines) + "\n"


def _sections(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """The model and every section within, each once, in the order of the file."""
    seen: list[type[BaseModel]] = []

    def visit(section: type[BaseModel]) -> None:
        if section in seen:
            return
        seen.append(section)
        for info in section.model_fields.values():
            for inner in _models_in(info.annotation):
                visit(inner)

    visit(model)
    return iter(seen)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in getattr(annotation, "__args__", ()):
        yield from _models_in(argument)


def _section_text(section: type[BaseModel]) -> list[str]:
    title = section.__name__
    lines = [
        f"## {title}",
        "",
        _one_line(section.__doc__ or ""),
        "",
        "| key | type | default | meaning |",
        "|---|---|---|---|",
    ]
    properties = section.model_json_schema()["properties"]
    for name, info in section.model_fields.items():
        cells = [
            f"`{name}`",
            _type_text(info, properties[name]),
            _default_text(info),
            _one_line(info.description or ""),
        ]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return lines


def _type_text(info: FieldInfo, schema: dict[str, Any]) -> str:
    models = list(_models_in(info.annotation))
    if models:
        links = " or ".join(f"[{model.__name__}](#{model.__name__.lower()})" for model in models)
        return f"list of {links}" if schema.get("type") == "array" else links
    return _schema_text(schema)


def _schema_text(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(_schema_text(option) for option in schema["anyOf"] if option.get("type") != "null")
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_schema_text(schema['items'])}"
    if schema.get("type") == "object":
        return "mapping of text to text"
    names = {"string": "text", "integer": "integer", "boolean": "true or false"}
    text = names.get(str(schema.get("type")), str(schema.get("type")))
    if "minimum" in schema:
        text += f", {schema['minimum']} to {schema['maximum']}"
    return text


def _default_text(info: FieldInfo) -> str:
    if info.default is PydanticUndefined:
        return "**required**"
    if isinstance(info.default, BaseModel):
        return "its defaults"
    if info.default is None:
        return "none"
    if info.default in ((), {}):
        return "empty"
    return f"`{json.dumps(info.default, default=list)}`"


def _one_line(text: str) -> str:
    return " ".join(text.split())
