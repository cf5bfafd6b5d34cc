"""Read and write data sets, trajectories and bags."""
