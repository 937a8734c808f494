"""What the gateway costs and how quick it is, measured beside the least that could do the same."""
