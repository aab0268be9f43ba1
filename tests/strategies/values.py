"""Random text, names and JSON, for plans and catalogs alike."""

from typing import Any

from hypothesis import strategies as st

Strategy = st.SearchStrategy

words = st.text("abcdefghijklmnopqrstuvwxyz 01ÄÖß✓.,/", max_size=12)
"""Text that holds no reference."""

names = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", min_size=1, max_size=8)

json_values: Strategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.floats(-1e6, 1e6) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
