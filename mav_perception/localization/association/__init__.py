"""Data association: validation gates, and joint association events inside them."""
