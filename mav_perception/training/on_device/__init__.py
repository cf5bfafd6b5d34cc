"""Augmentation of whole batches where the network trains: images stay on the GPU."""
