"""Who may come in, how many of them, what is whose, and what we may call."""
