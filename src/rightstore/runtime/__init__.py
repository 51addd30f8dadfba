"""Run things: start and supervise processes, judge health, look after a machine."""
