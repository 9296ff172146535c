"""Errors that name what was meant."""

from ha_constructs.closest_name import unknown_name


def test_closest_and_all_declared_names_are_given() -> None:
    assert str(unknown_name("queue", "biling", ["jobs", "billing"])) == (
        "Unknown queue 'biling'. Did you mean 'billing'? Declared: billing, jobs."
    )


def test_nothing_is_suggested_where_nothing_is_close() -> None:
    assert str(unknown_name("queue", "x", [])) == "Unknown queue 'x'. Declared: none."
