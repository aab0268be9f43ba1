"""Rows of the table of commands: those that operate a server."""

from collections.abc import Mapping

from aos.cli.command import TOKEN, Command
from aos.errors import Exit

__all__ = ["OPERATING"]

_HOOK = "wh_mfrggzdfmztwq2lk"
_DELIVERY = "6f1c2a5e-0c5b-4c77-9a53-5a1f3f0a7a10"

_BACKUP = "20261126T023000Z-4f3a9c"

_CHANGING = (Exit.NO, Exit.PENDING, Exit.CONFLICT, Exit.UNKNOWN_EFFECT, Exit.DAMAGED)

_BACKING = (Exit.PENDING, Exit.CONFLICT, Exit.DAMAGED, Exit.TIMED_OUT)


def _asking(
    target: str, help: str, example: str, *schemas: str, exits: tuple[Exit, ...] = (), changes: str = ""
) -> Command:
    """A command that asks a server; `changes` is what it changes there."""
    every = (Exit.FORBIDDEN, Exit.TRANSIENT, *exits, *([Exit.UNKNOWN_EFFECT] if changes else []))
    writes = f"{changes} on the server; {TOKEN}" if changes else TOKEN
    return Command(target, help, example, schemas, every, writes=writes, network=True)


OPERATING: Mapping[str, Command] = {
    "webhooks add": _asking(
        "webhooks.add:add",
        "Have messages sent to an address",
        "aos webhooks add https://hooks.example.com/aos --topic 'run.*'",
        "aos.webhook/1",
        exits=(Exit.CONFLICT,),
        changes="a webhook",
    ),
    "webhooks list": _asking(
        "webhooks.list_webhooks:list_webhooks",
        "Webhooks of your tenant, and how much waits for them",
        "aos webhooks list",
        "aos.webhook-list/1",
    ),
    "webhooks show": _asking(
        "webhooks.show:show", "Show a webhook", f"aos webhooks show {_HOOK}", "aos.webhook/1"
    ),
    "webhooks secret": _asking(
        "webhooks.show:secret",
        "Show the secrets that its receiver verifies with",
        f"aos webhooks secret {_HOOK}",
        "aos.webhook-secret/1",
        changes="an entry in the audit log",
    ),
    "webhooks test": _asking(
        "webhooks.change:send_test",
        "Send a webhook a message that says nothing",
        f"aos webhooks test {_HOOK}",
        "aos.webhook-test/1",
        exits=(Exit.CONFLICT,),
        changes="a message",
    ),
    "webhooks deliveries": _asking(
        "webhooks.deliveries:deliveries",
        "What was sent to a webhook, and each try of a delivery",
        f"aos webhooks deliveries {_HOOK} --state failed",
        "aos.delivery-list/1",
        "aos.delivery/1",
    ),
    "webhooks redeliver": _asking(
        "webhooks.deliveries:redeliver",
        "Send a message once more",
        f"aos webhooks redeliver {_DELIVERY}",
        "aos.redelivery/1",
        exits=(Exit.CONFLICT,),
        changes="a delivery",
    ),
    "webhooks disable": _asking(
        "webhooks.change:disable",
        "Send nothing there until it is enabled; messages wait",
        f"aos webhooks disable {_HOOK}",
        "aos.webhook/1",
        changes="the webhook",
    ),
    "webhooks enable": _asking(
        "webhooks.change:enable",
        "Send there again, also what waits",
        f"aos webhooks enable {_HOOK}",
        "aos.webhook/1",
        changes="the webhook",
    ),
    "webhooks remove": _asking(
        "webhooks.change:remove",
        "Remove a webhook, what waits for it and its log",
        f"aos webhooks remove {_HOOK}",
        "aos.webhook/1",
        changes="the webhook",
    ),
    "webhooks listen": _asking(
        "webhooks.listen:listen",
        "Receive messages on this machine, and verify and print them",
        f"aos webhooks listen --port 9000 --webhook {_HOOK}",
        "aos.webhook-received/1",
        exits=(Exit.NO,),
    ),
    "keys list": _asking(
        "keys.look:list_keys",
        "Versions of the key that signs webhooks, and their age",
        "aos keys list",
        "aos.keys/1",
    ),
    "keys show": _asking(
        "keys.look:show", "Show a version: its age, its end, a fingerprint", "aos keys show v2", "aos.key/1"
    ),
    "keys rotate": _asking(
        "keys.rotate:rotate",
        "Make a key that signs from now on; rehearse whether webhooks accept it",
        "aos keys rotate --dry-run",
        "aos.keys-change/1",
        "aos.key-rehearsal/1",
        exits=_CHANGING,
        changes="the keys",
    ),
    "keys retire": _asking(
        "keys.retire:retire",
        "Remove a key for good, once every webhook accepts the new one",
        "aos keys retire v1",
        "aos.keys-change/1",
        exits=_CHANGING,
        changes="the keys",
    ),
    "keys verify": _asking(
        "keys.look:verify",
        "Whether every key that signs is there and whole",
        "aos keys verify",
        "aos.keys-check/1",
        exits=(Exit.NO, Exit.DAMAGED),
    ),
    "loadtest": _asking(
        "operate.loadtest:loadtest",
        "Call a server from many workers at once: is it fast enough?",
        "aos loadtest --workers 30 --ops 100 --p95 500ms",
        "aos.load-test/1",
        exits=(Exit.NO, Exit.UNDETERMINED),
    ),
    "archive show": _asking(
        "operate.archive:show",
        "How many requests and runs are live, due, and archived",
        "aos archive show",
        "aos.archive/1",
    ),
    "archive run": _asking(
        "operate.archive:run",
        "Have a worker archive now what is due",
        "aos archive run",
        "aos.archive-order/1",
        changes="an order",
    ),
    "backup list": _asking(
        "backup.look:list_backups",
        "Backups of the database, and which are good",
        "aos backup list",
        "aos.backups/1",
    ),
    "backup show": _asking(
        "backup.look:show",
        "Show a backup: its size, its rows, when it was tried",
        f"aos backup show {_BACKUP}",
        "aos.backup/1",
    ),
    "backup create": _asking(
        "backup.ask:create",
        "Make a backup, and try it by restoring it",
        "aos backup create --wait",
        "aos.backup/1",
        exits=_BACKING,
        changes="a backup",
    ),
    "backup verify": _asking(
        "backup.ask:verify",
        "Try a backup by restoring it",
        f"aos backup verify {_BACKUP} --wait",
        "aos.backup/1",
        exits=_BACKING,
        changes="what is known of the backup",
    ),
}
