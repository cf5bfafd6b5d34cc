"""A seeded world: flights, drifting odometry, rendered cameras and nameless sightings."""
