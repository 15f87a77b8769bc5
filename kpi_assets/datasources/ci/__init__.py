"""What a CI server is asked and what it answers."""
