"""What the vendors' own SDKs say to a vendor, recorded; and what records it: ``make oracles``."""
