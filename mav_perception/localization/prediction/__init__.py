"""Prediction: the joint state moved to the time of a frame."""
