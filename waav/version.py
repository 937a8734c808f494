"""The version, in its one place: the package, the API description and ``ready`` all read it here."""

__version__ = "0.1.0"
