"""email_send{to, subject, body} -> {message_id}: one message to all recipients, or to none."""

import contextlib
import hashlib
import re
import smtplib
import socket
import ssl
from collections.abc import Iterator, Mapping
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate
from ipaddress import ip_address
from typing import Any, NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

from aos.domain.runs.outcomes import Effect, SideEffect
from aos.domain.skills.skill import Skill
from aos.runtime.guards import GuardError
from aos.runtime.guards.fields import one_line
from aos.runtime.guards.network import Network, connect, cut_off, usual_tls
from aos.runtime.guards.patience import Patience
from aos.runtime.secrets import Secrets
from aos.runtime.skills import Call, Reply
from aos.runtime.skills.registry import limit
from aos.runtime.skills.world import MailServer, World

__all__ = ["implementation", "key"]

_PORTS = {"smtp": 587, "smtps": 465}
_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]"
_ADDRESS = re.compile(rf"{_ATEXT}+(?:\.{_ATEXT}+)*@(?:[A-Za-z0-9-]+\.)*[A-Za-z0-9-]+", re.ASCII)
"""RFC 5321, section 4.1.2, without quoted local parts and address literals."""


class _EmailSend(NamedTuple):
    network: Network
    secrets: Secrets
    mail: MailServer
    max_recipients: int

    def __call__(self, params: Mapping[str, Any], call: Call) -> Reply:
        recipients = [params["to"]] if isinstance(params["to"], str) else list(params["to"])
        if len(recipients) > self.max_recipients:
            raise GuardError(
                "INPUT_TOO_LARGE", f"{len(recipients)} recipients; the limit is {self.max_recipients}"
            )
        message = _message(self.mail.sender, recipients, params, call.key)
        patience = Patience(call.timeout_s, call.cancelled)
        with self._dialogue(patience) as (dialogue, progress):
            _send(dialogue, progress, self.mail.sender, recipients, message.as_bytes())
        sent = SideEffect("mail.message", ", ".join(recipients), reversible=False)
        return Reply({"message_id": message["Message-ID"]}, side_effects=(sent,))

    @contextlib.contextmanager
    def _dialogue(self, patience: Patience) -> Iterator[tuple["_Dialogue", "_Progress"]]:
        """A server that is ready to take a message; whatever goes wrong in it becomes a GuardError."""
        url = urlsplit(self.mail.url)
        progress = _Progress()
        connection = connect(self.network, url.hostname or "", url.port or _PORTS[url.scheme], patience)
        try:
            with connection, cut_off(connection, patience):
                dialogue = _Dialogue(url, connection, self.network.tls or usual_tls())
                with contextlib.closing(dialogue):
                    dialogue.greet()
                    self._log_in(dialogue, url)
                    yield dialogue, progress
        except (smtplib.SMTPException, OSError) as error:
            try:
                patience.left_s()
            except GuardError as ended:
                ended.effect = progress.effect
                raise ended from None
            raise _told(error, progress.effect) from None

    def _log_in(self, dialogue: "_Dialogue", url: SplitResult) -> None:
        if url.username is None:
            return
        password = unquote(url.password) if url.password else self.secrets.get(self.mail.password)
        if password is None:
            raise GuardError("SECRET_MISSING", f"there is no secret {self.mail.password!r}", effect="none")
        self.secrets.remember(self.mail.password, password)
        dialogue.login(unquote(url.username), password)


class _Progress:
    """`effect` is "unknown" from the moment that the message may be on its way."""

    effect: Effect = "none"


class _Dialogue(smtplib.SMTP):
    """The standard library's client on a connection that was checked, with TLS."""

    def __init__(self, url: SplitResult, connection: socket.socket, tls: ssl.SSLContext) -> None:
        here = connection.getsockname()[0]
        super().__init__(local_hostname=f"[IPv6:{here}]" if ":" in here else f"[{here}]")
        self._host = url.hostname or ""  # whose certificate `starttls` expects
        self._tls = tls
        self._from_the_start = url.scheme == "smtps"
        self._on_this_machine = ip_address(connection.getpeername()[0]).is_loopback
        self._connection = connection

    def greet(self) -> None:
        """Up to the point where the server knows us, over TLS."""
        self._connection.setblocking(True)  # `cut_off` ends it
        if self._from_the_start:
            self._connection = self._tls.wrap_socket(self._connection, server_hostname=self._host)
        self.sock = self._connection
        status, said = self.getreply()
        if status != 220:
            raise smtplib.SMTPConnectError(status, said)
        self.ehlo_or_helo_if_needed()
        if self._from_the_start:
            return
        if self.has_extn("starttls"):
            self.starttls(context=self._tls)
            self.ehlo_or_helo_if_needed()
        elif not self._on_this_machine:
            raise GuardError("BAD_REPLY", f"{self._host} offers no TLS", effect="none")


def _message(sender: str, recipients: list[str], params: Mapping[str, Any], key: str) -> EmailMessage:
    for address in (sender, *recipients):
        if len(address) > 254 or not _ADDRESS.fullmatch(address):
            raise GuardError("BAD_PARAMS", f"{address[:80]!r} is no address: NAME@DOMAIN, in ASCII")
    message = EmailMessage(SMTP.clone(cte_type="7bit"))
    message["From"], message["To"] = sender, ", ".join(recipients)
    message["Date"] = formatdate()
    message["Message-ID"] = f"<{hashlib.sha256(key.encode()).hexdigest()[:32]}@{sender.rpartition('@')[2]}>"
    try:
        message["Subject"] = one_line("the subject", params["subject"])
        message.set_content(params["body"])
        message.as_bytes()
    except UnicodeEncodeError:
        raise GuardError("BAD_PARAMS", "the message holds half a character (a lone surrogate)") from None
    return message


def _send(
    dialogue: _Dialogue, progress: _Progress, sender: str, recipients: list[str], message: bytes
) -> None:
    """Hands the message over, if every recipient is accepted: else some would get it twice when it is tried again."""
    for status, said in (dialogue.mail(sender), *(dialogue.rcpt(recipient) for recipient in recipients)):
        if status not in (250, 251):
            raise smtplib.SMTPResponseException(status, said)
    progress.effect = "unknown"
    status, said = dialogue.data(message)
    if status != 250:
        progress.effect = "none"
        raise smtplib.SMTPDataError(status, said)
    with contextlib.suppress(smtplib.SMTPException, OSError):
        dialogue.quit()


def _told(error: Exception, effect: Effect) -> GuardError:
    """421 and other 4xx ask to come again, 5xx do not (RFC 5321, section 4.2.1)."""
    if isinstance(error, smtplib.SMTPResponseException) and error.smtp_code > 0:
        said = (
            error.smtp_error.decode("utf-8", "replace")
            if isinstance(error.smtp_error, bytes)
            else error.smtp_error
        )
        code = "DEFERRED" if 400 <= error.smtp_code < 500 else "REJECTED"
        return GuardError(code, f"{error.smtp_code} {' '.join(said.split())}", effect="none")
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return GuardError("REJECTED", str(error), effect="none")
    if isinstance(error, ssl.SSLCertVerificationError):
        return GuardError(
            "CONNECTION", f"the certificate does not hold: {error.verify_message}", effect=effect
        )
    return GuardError("CONNECTION", f"the connection broke: {error}", effect=effect)


def implementation(skill: Skill, world: World) -> _EmailSend | None:
    """None where no mail server is set up. Limits: constraints.max_recipients."""
    if world.mail is None:
        return None
    network = world.network.allowing(urlsplit(world.mail.url).hostname or "")
    return _EmailSend(network, world.secrets, world.mail, limit(skill, "max_recipients", 50))


def key(params: Mapping[str, Any], world: World) -> str | None:
    """The secret that is the password, where the server is told a user and its URL has none."""
    if world.mail is None:
        return None
    url = urlsplit(world.mail.url)
    return world.mail.password if url.username is not None and not url.password else None
