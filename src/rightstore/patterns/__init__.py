"""How stores work together, one room a pattern, written against ports only."""
