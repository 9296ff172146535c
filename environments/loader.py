"""Reading an environment file: one clear message a mistake, before anything is synthesized."""

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from environments.base import nearest
from environments.model import Environment

FOLDER = Path(__file__).parent


class EnvironmentFileError(Exception):
    """What is wrong with an environment file, as text for its author: a line a mistake."""


class _StrictLoader(yaml.SafeLoader):
    """YAML that refuses a key given twice, which PyYAML would silently let win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[object] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} is given twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


def find(name_or_path: str) -> Path:
    """Return the file of an environment.

    Arguments:
        name_or_path: a name in `environments/`, or the path of a YAML file anywhere.

    Raises:
        EnvironmentFileError: there is no such file.
    """
    named = FOLDER / f"{name_or_path}.yaml"
    if named.is_file() and "/" not in name_or_path:
        return named
    path = Path(name_or_path).expanduser()
    if path.is_file():
        return path
    known = sorted(file.stem for file in FOLDER.glob("*.yaml"))
    raise EnvironmentFileError(
        f"environment {name_or_path!r} is neither a name in environments/ ({', '.join(known)}) "
        f"nor the path of a YAML file{nearest(name_or_path, known)}"
    )


def load(name_or_path: str) -> Environment:
    """Read and check an environment.

    Arguments:
        name_or_path: as for `find`.

    Raises:
        EnvironmentFileError: the file is missing, is not YAML or holds a mistake; the text names file, line, field and
            value and says what would be right.
    """
    path = find(name_or_path)
    shown = _shown(path)
    try:
        text = path.read_text(encoding="utf-8")
        document = yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - a SafeLoader
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError) as error:
        raise EnvironmentFileError(f"{shown}: cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise EnvironmentFileError(f"{shown}: {_yaml_problem(error)}") from error
    if not isinstance(document, dict):
        raise EnvironmentFileError(
            f"{shown}: must be a mapping with at least name, account, regions, domain and alerts"
        )
    try:
        return Environment.model_validate(document)
    except ValidationError as error:
        lines = [_explain(shown, tree, details) for details in _first_causes(error.errors(include_url=False))]
        raise EnvironmentFileError("\n".join(dict.fromkeys(lines))) from error


def _shown(path: Path) -> str:
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _yaml_problem(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        return f"line {error.problem_mark.line + 1}: not valid YAML: {error.problem}"
    return f"not valid YAML: {error}"


def _first_causes(errors: list[ErrorDetails]) -> list[ErrorDetails]:
    """Leave out a list's complaint of its length when one of its entries is refused: the entry is the mistake."""
    return [
        details
        for details in errors
        if not (
            details["type"] == "too_short"
            and any(other is not details and other["loc"][: len(details["loc"])] == details["loc"] for other in errors)
        )
    ]


def _explain(shown: str, tree: yaml.Node | None, details: ErrorDetails) -> str:
    location = tuple(part for part in details["loc"] if not _is_machinery(part))
    field = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".")
    where = f"{shown}:{_line(tree, location)}"
    message = details["msg"].removeprefix("Value error, ")
    if details["type"] == "extra_forbidden":
        keys = _keys_at(location[:-1])
        unknown = str(location[-1])
        return f"{where}: {field}: unknown key{nearest(unknown, keys)}; possible here: {', '.join(sorted(keys))}"
    if details["type"] == "missing":
        return f"{where}: {field}: required, and missing{_purpose(location)}"
    if isinstance(details["input"], dict | BaseModel):
        return f"{where}: {field + ': ' if field else ''}{message}"
    return f"{where}: {field}: {details['input']!r}: {message}{_purpose(location)}"


def _is_machinery(part: object) -> bool:
    return isinstance(part, str) and (part.startswith(("function-", "constrained-")) or part in {"str", "nullable"})


def _line(node: yaml.Node | None, location: tuple[int | str, ...]) -> int:
    """The line of the deepest part of `location` that the file has."""
    line = node.start_mark.line + 1 if node else 1
    for part in location:
        if isinstance(node, yaml.MappingNode):
            pair = next(((key, value) for key, value in node.value if key.value == str(part)), None)
            if pair is None:
                return line
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            return line
    return line


def _model_at(location: tuple[int | str, ...]) -> type[BaseModel] | None:
    """The section that a location in the file belongs to."""
    model: type[BaseModel] = Environment
    for part in location:
        if isinstance(part, int):
            continue
        info = model.model_fields.get(part)
        inner = _section_in(info.annotation) if info else None
        if inner is None:
            return None
        model = inner
    return model


def _section_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = _section_in(argument)
        if found:
            return found
    return None


def _keys_at(location: tuple[int | str, ...]) -> list[str]:
    model = _model_at(location)
    return list(model.model_fields) if model else []


def _purpose(location: tuple[int | str, ...]) -> str:
    """The field's documentation, so that the message says what would be right."""
    names = [part for part in location if not isinstance(part, int)]
    if not names:
        return ""
    model = _model_at(tuple(names[:-1]))
    info = model.model_fields.get(names[-1]) if model else None
    return f" ({info.description.splitlines()[0]})" if info and info.description else ""
