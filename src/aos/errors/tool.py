"""Codes of the tools themselves: the command line, the server, what it sends."""

from aos.errors.rows import Code, Exit

__all__ = ["ROWS"]

ROWS: dict[str, Code] = {
    # -- the tool itself -------------------------------------------------------------------------
    "internal_error": Code(
        "cli",
        "Internal error",
        "aos met a fault of its own. Nothing of your input is to blame.",
        "Report it with the command that led here; AOS_DEBUG=1 shows the traceback.",
        Exit.INTERNAL,
        500,
    ),
    "usage": Code(
        "cli",
        "Wrong usage",
        "The command line can't be understood: an unknown option, a missing or malformed argument.",
        "Look at the command's --help; it ends with an example.",
    ),
    "unknown_code": Code(
        "cli",
        "Unknown code",
        "No code of that name stands in the catalogue.",
        "`aos explain` without an argument lists every code.",
    ),
    "mcp_missing": Code(
        "mcp",
        "MCP not installed",
        "Agents are spoken to by a package that is not installed.",
        "pip install 'aos-plan[mcp]'",
    ),
    "invalid_arguments": Code(
        "mcp",
        "Invalid arguments",
        "A tool was called with arguments that it does not take; `errors` lists everything wrong with them.",
        "The tool's inputSchema, in the answer to tools/list, says what it takes.",
    ),
    "write_failed": Code(
        "cli",
        "Write failed",
        "An output file or the ledger could not be written.",
        "Check that the folder exists, is writable and has room.",
        Exit.WRITE_FAILED,
        503,
    ),
    "interrupted": Code(
        "cli",
        "Interrupted",
        "The command was interrupted (SIGINT, Ctrl-C) before it had an answer.",
        "Call it again.",
        Exit.INTERRUPTED,
        499,
    ),
    "terminated": Code(
        "cli",
        "Terminated",
        "The command was told to end (SIGTERM) before it had an answer.",
        "Call it again.",
        Exit.TERMINATED,
        499,
    ),
    # -- the server ------------------------------------------------------------------------------
    "unavailable": Code(
        "server",
        "Unavailable for now",
        "The server, or a service it depends on, can't answer at the moment. Nothing was changed.",
        "Call again after `retry_after_s` seconds.",
        Exit.TRANSIENT,
        503,
        True,
    ),
    "schema_outdated": Code(
        "server",
        "Schema not up to date",
        "The database has not the tables that this version of the server needs, or no longer has them.",
        "Run `aos-server migrate`, which goes to Postgres directly; where the schema is newer, start newer code.",
        Exit.NO,
        503,
    ),
    "idempotency_mismatch": Code(
        "server",
        "Idempotency-Key used for something else",
        "Within the last 24 hours the same caller used this Idempotency-Key for a request with another content.",
        "Use a new key for a new request.",
        Exit.CONFLICT,
        422,
    ),
    "request_in_progress": Code(
        "server",
        "Request still running",
        "A request with the same Idempotency-Key has not ended yet.",
        "Call again after `retry_after_s` seconds; you will get that request's answer.",
        Exit.TRANSIENT,
        409,
        True,
    ),
    "audit_damaged": Code(
        "server",
        "Audit log damaged",
        "The audit log is not what was signed: rows were changed, taken away, put in or moved.",
        "`aos audit verify` says from where on. Keep the database and the file of checkpoints as they are.",
        Exit.DAMAGED,
        503,
    ),
    # -- messages to webhooks --------------------------------------------------------------------
    "webhook_malformed": Code(
        "webhook",
        "Not a signed message",
        "A header of Standard Webhooks is missing, sent twice or of another form, or the body is not UTF-8.",
        "Hand over headers and body as they arrived; a proxy may have changed them.",
        Exit.DAMAGED,
        400,
    ),
    "webhook_forged": Code(
        "webhook",
        "Signature does not fit",
        "None of the secrets given has signed this message as it arrived.",
        "Compare the secret with `aos webhooks secret ID`, and verify the body before anything parses it.",
        Exit.DAMAGED,
        401,
    ),
    "webhook_too_old": Code(
        "webhook",
        "Message too old",
        "The message was signed longer ago than is allowed: it may be a recording.",
        "If it comes from the sender itself, set this machine's clock. A sender signs each try anew.",
        Exit.DAMAGED,
        401,
    ),
    "webhook_from_future": Code(
        "webhook",
        "Message from the future",
        "The message was signed at a time that this machine's clock has not reached.",
        "Set the clocks of sender and receiver.",
        Exit.DAMAGED,
        401,
    ),
    "webhook_repeated": Code(
        "webhook",
        "Message received before",
        "A message of this id was received before, or is being worked on.",
        "Nothing to mend: answer 2xx to a message that was dealt with, so that it is not sent again.",
        Exit.CONFLICT,
        409,
    ),
}
