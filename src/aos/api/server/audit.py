"""The audit log of a server, as this machine reads it: what is proved is computed here, not believed."""

import base64
import binascii
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aos.domain.merkle import is_included, leaf_hash
from aos.errors import AosError
from aos.wire.digests import canonical

__all__ = ["is_proved", "kept_notes"]

_TREE = re.compile(r"aos\.audit\n(?P<size>[1-9][0-9]{0,15})\n(?P<root>[A-Za-z0-9+/]{43}=)\n")
_MOST = 200_000


def is_proved(document: Mapping[str, Any]) -> bool | None:
    """Whether an entry's proof leads from the entry, as it is shown, to the root that its checkpoint names.

    None: it is in no checkpoint yet. Who signed the checkpoint is not asked here.
    """
    if document["position"] is None:
        return None
    tree = _TREE.match(str(document["checkpoint"]))
    if tree is None:
        return False
    try:
        proof = [base64.b64decode(one, validate=True) for one in document["proof"]]
        leaf = leaf_hash(canonical(document["entry"]))
    except (TypeError, ValueError, binascii.Error):
        return False
    root = base64.b64decode(tree["root"])
    return is_included(leaf, document["position"], int(tree["size"]), proof, root)


def kept_notes(path: Path) -> str:
    """The newest notes of a file of checkpoints, as many as a server takes. Raises AosError(unreadable)."""
    try:
        text = path.read_text("utf-8")
    except (OSError, ValueError) as error:
        raise AosError("unreadable", f"{path}: {getattr(error, 'strerror', None) or 'not UTF-8'}") from None
    return text if len(text) <= _MOST else text[text.index("aos.audit\n", len(text) - _MOST) :]
