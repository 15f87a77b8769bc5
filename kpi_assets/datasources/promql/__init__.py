"""What Prometheus is asked and what it answers, without I/O."""
