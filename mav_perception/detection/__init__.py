"""Mask -> detections -> relative measurements with covariance."""
