"""Learns a catalog from recorded runs.

`table` turns records into arrays, `catalog` is the whole. `skills` has the figures of single skills: `times` what
attempts take, by a `pool` of `experts` that `priors` help (with `students` quantiles), `rates` how often they fail, and
`sizes.growth` what they grow with.
`runs` finds what runs have the same shape; from those come `blocks`, drawn whole, `donors` for chains of another
length, the law of a `fanout`, and the `dependence` of steps.
"""
