"""The keys that sign webhooks: where they are kept, how they follow one another.

keyset    versions of the key, and the rules: at each instant one signs, during an overlap two
changes   rotate and retire: a change as a value, shown or carried out
check     is each key there, whole, and no other
keyring   what a running server signs with
secrets   the secret of an endpoint, derived from a key
backend   what a place for keys must be able to do
file · vault · ssm
          the three places
"""

from aos.errors import AosError
from aos_server.keystores.backend import Backend
from aos_server.settings import Keys

__all__ = ["open_backend"]


def open_backend(settings: Keys) -> Backend:
    """The place that the settings name. Nothing is read yet. Raises AosError(invalid_config) for want of its extra."""
    try:
        if settings.backend == "vault":
            from aos_server.keystores.vault import VaultBackend

            return VaultBackend(settings)
        if settings.backend == "ssm":
            from aos_server.keystores.ssm import SsmBackend

            return SsmBackend(settings)
    except ModuleNotFoundError as error:
        extra = {"vault": "vault", "ssm": "aws"}[settings.backend]
        raise AosError(
            "invalid_config",
            f"{error.name} is not installed, which {settings.backend} needs",
            fix=f"pip install 'aos-plan[{extra}]'",
        ) from None
    from aos_server.keystores.file import FileBackend

    return FileBackend(settings.path, settings.first)
