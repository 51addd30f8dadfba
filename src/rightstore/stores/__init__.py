"""The definition of an application and its open runtime: `Rightstore` and `Stores`."""
