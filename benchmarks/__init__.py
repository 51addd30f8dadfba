"""What Rightstore costs beside the raw driver doing the same, in one run: ratios and counters.

Seconds mean nothing on a shared machine and are not printed; counters are gated by baseline.json.
"""
