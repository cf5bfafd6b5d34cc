"""Recorded and simulated flights: paths, frames, and who was truly seen."""
