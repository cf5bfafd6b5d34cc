"""Public data sets as recordings."""
