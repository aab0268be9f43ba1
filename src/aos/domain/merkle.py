"""Merkle trees as RFC 9162 (Certificate Transparency 2.0) has them, section 2.1: one hash that stands for a list.

A tree that grows is kept as its peaks: the roots of the complete subtrees of which it consists, the largest first, one
for each binary 1 in its size. Hashes are 32 bytes, SHA-256.
"""

import hashlib
from collections.abc import Iterable, Sequence

__all__ = ["EMPTY", "grown", "is_included", "leaf_hash", "proof", "proof_by_blocks", "root", "root_of_peaks"]

EMPTY = hashlib.sha256(b"").digest()
"""The root of a tree without leaves."""


def leaf_hash(entry: bytes) -> bytes:
    """The hash of one entry. The first byte keeps an entry from passing for an inner node."""
    return hashlib.sha256(b"\0" + entry).digest()


def grown(peaks: Sequence[bytes], size: int, leaves: Iterable[bytes]) -> tuple[tuple[bytes, ...], int]:
    """The peaks and the size of a tree of `size` leaves after `leaves` (their hashes) were added."""
    stack = list(peaks)
    for leaf in leaves:
        node, count = leaf, size
        while count & 1:  # two complete trees of one size make the next larger one
            node = _node(stack.pop(), node)
            count >>= 1
        stack.append(node)
        size += 1
    return tuple(stack), size


def root_of_peaks(peaks: Sequence[bytes]) -> bytes:
    """The root of the tree that consists of `peaks`."""
    if not peaks:
        return EMPTY
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = _node(peak, root)
    return root


def proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The hashes by which anybody who has leaf `index` can compute the root (2.1.3.1), the deepest first."""
    if len(leaves) == 1:
        return []
    split = 1 << (len(leaves) - 1).bit_length() - 1
    if index < split:
        return [*proof(leaves[:split], index), root(leaves[split:])]
    return [*proof(leaves[split:], index - split), root(leaves[:split])]


def root(leaves: Iterable[bytes]) -> bytes:
    """The root of the tree that has these leaves."""
    return root_of_peaks(grown((), 0, leaves)[0])


def proof_by_blocks(roots: Sequence[bytes], leaves: Sequence[bytes], index: int, width: int) -> list[bytes]:
    """The same as `proof`, of a tree cut into blocks of `width` leaves, a power of two; the last may have fewer.

    `roots` are those of all blocks, `leaves` those of the block that holds leaf `index`.
    """
    return [*proof(leaves, index % width), *proof(roots, index // width)]


def is_included(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether `path` proves that `leaf` stands at `index` in the tree of that size and root (2.1.3.2)."""
    if not 0 <= index < size:
        return False
    here, last, node = index, size - 1, leaf
    for other in path:
        if last == 0:
            return False
        if here & 1 or here == last:
            node = _node(other, node)
            while here and not here & 1:
                here, last = here >> 1, last >> 1
        else:
            node = _node(node, other)
        here, last = here >> 1, last >> 1
    return last == 0 and node == root


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()
