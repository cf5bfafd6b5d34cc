"""Measurement model: what a camera should see, where it can see, and how often it does."""
