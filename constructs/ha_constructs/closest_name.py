"""Error message for a name that was not declared."""

import difflib
from collections.abc import Iterable


def unknown_name(kind: str, name: str, known: Iterable[str]) -> ValueError:
    """Return the error for ``name``, with the closest declared name and all of them.

    Args:
        kind: what the name stands for, such as "topic".
        name: the name that was asked for.
        known: the names that are declared.
    """
    declared = sorted(known)
    closest = difflib.get_close_matches(name, declared, n=1, cutoff=0.5)
    hint = f" Did you mean {closest[0]!r}?" if closest else ""
    return ValueError(f"Unknown {kind} {name!r}.{hint} Declared: {', '.join(declared) or 'none'}.")
