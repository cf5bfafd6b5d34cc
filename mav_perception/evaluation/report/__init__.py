"""What is kept of a run, and the pages and pictures made of it."""
