"""Measurements + odometry -> joint state: the coupled probabilistic data association filter."""
