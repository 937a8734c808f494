"""Engines that need no key and no network, so that a fresh install talks."""
