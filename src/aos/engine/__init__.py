"""Computes: values in, values out. Numpy is used here and nowhere else; randomness and time are arguments.

The folder is the list of concepts: `distributions` and `prices` become quantile tables, `attempts` joins a
skill's latency and failures in one table, `program` compiles a plan, `streams` and `draws` sample it,
`simulate` runs it many times, `contention` and `queues` wait for slots, `budget` stops, `summary` condenses,
`feasibility` decides. Then `attribution` says what drives it, `alternatives` what would change it, `evidence`
what more records would tell, and `compare` what differs between two plans.
"""
