"""Redis and Redis Cluster: the room of its driver, which no other room imports."""
