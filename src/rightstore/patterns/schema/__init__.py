"""Make room in all stores for what one application declares: plan, apply, check, upgrades."""
