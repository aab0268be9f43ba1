"""The runtime: carries a plan out. `executor` runs it, `skills` are what it can call, `guards` what they may touch."""
