"""Initialization: find drones whose pose is unknown."""
