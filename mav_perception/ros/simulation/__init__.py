"""What simulation_node publishes of every drone."""
