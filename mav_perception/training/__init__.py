"""Train the segmentation networks on real and rendered images."""
