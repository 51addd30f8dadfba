"""For tests, ours and yours: contract suites, faults on demand, a clock you can turn."""
