"""Compare results with truth: segmentation, trajectories and filter consistency."""
