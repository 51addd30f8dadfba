"""Records in this process: the reference meaning of their port, and the store of tests."""
