"""Vendors and engines. Importing one is the registry's business; nothing else imports them."""
