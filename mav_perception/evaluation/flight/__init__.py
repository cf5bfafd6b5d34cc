"""A live flight: its log, its associations and its summary."""
