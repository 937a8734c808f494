"""Audio processors that need nothing but arithmetic: one plugin each, so that a pipeline can name them."""
