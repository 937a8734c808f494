"""Who may come in, how many of them, and what we may call."""
