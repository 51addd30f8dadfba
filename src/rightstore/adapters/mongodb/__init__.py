"""MongoDB and what speaks its protocol: the room of its driver, which no other room imports."""
