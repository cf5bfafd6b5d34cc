"""Errors of trajectories and of segmentation."""
