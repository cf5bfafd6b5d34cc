"""Simulated flights without images: paths, odometry, sightings, and their settings."""
