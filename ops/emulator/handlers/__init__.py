"""Handlers by service. Importing this package registers all of them."""

import importlib
import pkgutil


def register_all() -> None:
    """Import every module here, each of which registers its handlers and extensions."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
