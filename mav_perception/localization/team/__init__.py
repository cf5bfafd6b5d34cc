"""Who flies: the team, its file, and where the cameras sit."""
