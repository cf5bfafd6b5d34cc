"""What monitor_node knows of every drone."""
