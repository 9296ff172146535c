"""cdk8s charts: what runs inside a cluster, one system a module."""
