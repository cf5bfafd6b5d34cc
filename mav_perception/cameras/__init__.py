"""Cameras: pixels to bearings and back, calibration, and the files of both."""
