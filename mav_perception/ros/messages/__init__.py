"""Messages to core types and back; names and QoS of the topics."""
