"""One file a law: it tries to break what we promise, on real servers, under faults."""
