"""The REST side: one file for each group of operations, and ``table`` with all of them."""
