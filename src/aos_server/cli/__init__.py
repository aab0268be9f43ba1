"""`aos-server`: what belongs to the host. One file per command; each answers like `aos`, with `--json` too."""
