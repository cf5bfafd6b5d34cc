"""Localize teams of micro aerial vehicles from cameras and odometry, with no names and no GPS."""

__version__ = '0.1.0'
