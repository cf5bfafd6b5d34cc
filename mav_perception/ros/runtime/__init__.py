"""What every node shares: lifecycle, parameters, diagnostics, watchdog."""
