"""Use cases about files and codes: catalogs, plans and settings, and files to begin with."""
