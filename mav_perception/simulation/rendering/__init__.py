"""Images of simulated flights, with exact masks."""
