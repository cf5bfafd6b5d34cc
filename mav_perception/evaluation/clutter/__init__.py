"""False sightings over time: a model, and how well it predicts."""
