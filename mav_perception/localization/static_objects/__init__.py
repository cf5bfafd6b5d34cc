"""Static objects that look like drones, remembered in `map`."""
