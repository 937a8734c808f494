"""When has the speaker finished, and who may interrupt whom: rules without I/O and without a clock."""
