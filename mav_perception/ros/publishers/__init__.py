"""What localization_node publishes."""
