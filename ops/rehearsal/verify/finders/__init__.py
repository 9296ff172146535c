"""Finders, a module for each family of services; a module here is registered by being here."""
