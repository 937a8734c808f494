"""What the clients of several vendors need; it knows the contracts and nothing of the gateway."""
