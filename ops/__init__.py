"""Commands that people run around a deployment."""
