"""The model of an environment and the files that describe each one. Nothing of the AWS CDK belongs here."""

from environments.loader import EnvironmentFileError, load
from environments.model import Environment

__all__ = ["Environment", "EnvironmentFileError", "load"]
