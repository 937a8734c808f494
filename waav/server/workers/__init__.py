"""One gateway as several processes on one port: a supervisor, and the workers that it keeps alive."""
