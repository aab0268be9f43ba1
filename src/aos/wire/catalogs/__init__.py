"""Catalogs of skills: descriptors, their figures, and what is told of them."""
