"""Merkle trees: the test vectors of Certificate Transparency, and the laws of proofs."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aos.domain.merkle import (
    EMPTY,
    grown,
    is_included,
    leaf_hash,
    proof,
    proof_by_blocks,
    root,
    root_of_peaks,
)

# The inputs and roots that the reference implementations of RFC 6962 test themselves with.
ENTRIES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_those_of_the_reference(size):
    peaks, _ = grown((), 0, map(leaf_hash, ENTRIES[:size]))
    assert root_of_peaks(peaks).hex() == ROOTS[size - 1]


def test_the_empty_tree():
    assert root_of_peaks(()) == EMPTY == hashlib.sha256(b"").digest()


leaves = st.lists(st.binary(max_size=4).map(leaf_hash), min_size=1, max_size=40)


@given(leaves, st.data())
def test_growing_in_steps_is_growing_at_once(hashes, data):
    cut = data.draw(st.integers(0, len(hashes)))
    first = grown((), 0, hashes[:cut])
    assert grown(*first, hashes[cut:]) == grown((), 0, hashes)


@given(leaves, st.data())
def test_a_proof_holds_for_its_leaf_and_place_alone(hashes, data):
    index = data.draw(st.integers(0, len(hashes) - 1))
    root = root_of_peaks(grown((), 0, hashes)[0])
    path = proof(hashes, index)
    size = len(hashes)
    assert is_included(hashes[index], index, size, path, root)
    assert not is_included(leaf_hash(b"forged"), index, size, path, root)
    assert not is_included(hashes[index], size, size, path, root)
    assert not is_included(hashes[index], index, size, [*path, EMPTY], root)
    for place in range(len(path)):
        assert not is_included(hashes[index], index, size, path[:place] + path[place + 1 :], root)


@given(st.integers(1, 70), st.integers(0, 69), st.sampled_from([1, 2, 8, 64]))
def test_a_proof_by_blocks_is_the_proof(size, index, width):
    leaves = [leaf_hash(bytes([n])) for n in range(size)]
    index %= size
    start = index // width * width
    roots = [root(leaves[first : first + width]) for first in range(0, size, width)]
    assert proof_by_blocks(roots, leaves[start : start + width], index, width) == proof(leaves, index)
