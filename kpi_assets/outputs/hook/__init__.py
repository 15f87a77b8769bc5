"""What the webhook output is made of: its body, its signature, and the request with all that can go wrong with it."""
