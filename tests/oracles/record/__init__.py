"""For each vendor: lets its SDK talk with our scripted server, and returns what was said."""
