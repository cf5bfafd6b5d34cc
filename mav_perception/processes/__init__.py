"""The nodes of the package as child processes."""
