"""Seeded faults against the tests of the laws: who catches what."""
