"""What localization_node reads and publishes."""
