"""The stacks: they translate an environment into constructs and wire them."""
