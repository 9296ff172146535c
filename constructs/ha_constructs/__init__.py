"""Library of L3 constructs for highly available, multi-region Kubernetes platforms on AWS: one system a module."""
