"""What a case is."""

from dataclasses import dataclass

from tests.ha_checks.support import Resources, Stack

Stacks = Stack | Resources | list[Stack]


@dataclass(frozen=True)
class Case:
    """A rule's judgement of two assemblies that differ in one thing.

    Arguments:
        rule: the rule's name.
        about: what is judged.
        sound: what passes.
        faulty: what does not.
        at: where it is wrong: ``stack/logical id``.
        says: part of what the rule says of it.
    """

    rule: str
    about: str
    sound: list[Stack]
    faulty: list[Stack]
    at: tuple[str, ...]
    says: str

    @property
    def id(self) -> str:
        """Its name in the list of tests."""
        return f"{self.rule}-{self.about}"


def case(rule: str, about: str, sound: Stacks, faulty: Stacks, at: str, says: str = "") -> Case:
    """Make a case; resources alone are a stack named ``app``, ``at`` may name several places."""
    # A lone slash is the stack itself.
    places = tuple("app" if place == "/" else place if "/" in place else f"app/{place}" for place in at.split())
    return Case(rule, about, _stacks(sound), _stacks(faulty), places, says)


def _stacks(given: Stacks) -> list[Stack]:
    if isinstance(given, list):
        return given
    return [given if isinstance(given, Stack) else Stack(given)]
