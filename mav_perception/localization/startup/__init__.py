"""Unknown start: where is a drone whose place nobody knows? See `StartUp` in `search`."""
