"""How we see what runs: logs, metrics, traces, alarms, and wrappers that measure a port."""
