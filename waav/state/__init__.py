"""Where values are kept: in this process, on disk, or both."""
