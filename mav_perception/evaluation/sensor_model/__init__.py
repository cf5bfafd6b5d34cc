"""The sensor model of a network, learned from labelled images."""
