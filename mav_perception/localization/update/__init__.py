"""Update: one camera scan into the joint state."""
