"""The filter against its baselines, over many flights."""
