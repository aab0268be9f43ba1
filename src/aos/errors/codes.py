"""The catalogue of codes: the one table that says what a code means, its statuses and what to do.

A row's `area` and the code itself make the problem type: `urn:aos:problem:<area>.<code>`.
"""

from enum import IntEnum
from typing import NamedTuple


class Exit(IntEnum):
    """Exit statuses of the command line; `aos help exit-codes` prints this table."""

    YES = 0
    INTERNAL = 1
    USAGE = 2
    NO = 3
    FORBIDDEN = 4
    UNDETERMINED = 5
    TRANSIENT = 6
    STEPS_FAILED = 7
    PENDING = 8
    CONFLICT = 9
    UNKNOWN_EFFECT = 10
    DAMAGED = 11
    WRITE_FAILED = 12
    TIMED_OUT = 124
    INTERRUPTED = 130
    TERMINATED = 143


EXIT_MEANINGS: dict[Exit, str] = {
    Exit.YES: "yes: feasible, approved, succeeded, healthy, shown",
    Exit.INTERNAL: "internal error: a fault of aos itself",
    Exit.USAGE: "usage, or an input that can't be read or is invalid",
    Exit.NO: "a well-formed no: infeasible, denied, rejected, expired, check failed, drift",
    Exit.FORBIDDEN: "not authenticated or not permitted",
    Exit.UNDETERMINED: "undetermined: a figure that decides is unknown, or too close to call",
    Exit.TRANSIENT: "transient: unreachable or rate limited; safe to retry",
    Exit.STEPS_FAILED: "the run ended with failed steps",
    Exit.PENDING: "pending, waiting or paused; a policy asks for an approval",
    Exit.CONFLICT: "conflict: already decided, voided, stale digest",
    Exit.UNKNOWN_EFFECT: "outcome unknown: do not retry blindly",
    Exit.DAMAGED: "data damaged: ledger, backup, signature or audit",
    Exit.WRITE_FAILED: "a write to the ledger or an output failed",
    Exit.TIMED_OUT: "--wait timed out",
    Exit.INTERRUPTED: "interrupted (SIGINT)",
    Exit.TERMINATED: "terminated (SIGTERM)",
}


class Code(NamedTuple):
    """One row: what `aos explain` says, and what scripts may rely on."""

    area: str
    title: str
    meaning: str
    fix: str
    exit: Exit = Exit.USAGE
    status: int = 422
    retryable: bool = False


CODES: dict[str, Code] = {
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
    "write_failed": Code(
        "cli",
        "Write failed",
        "An output file or the ledger could not be written.",
        "Check that the folder exists, is writable and has room.",
        Exit.WRITE_FAILED,
        507,
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
        "The database has not the tables that this version of the server needs.",
        "Run `aos-server migrate`, which goes to Postgres directly.",
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
    # -- keys that sign webhooks -----------------------------------------------------------------
    "key_missing": Code(
        "keys",
        "No key to sign with",
        "The keystore holds no key, so no message could be signed; a server does not start like this.",
        "`aos-server keys rotate` makes the first one.",
        status=503,
    ),
    "key_unsafe": Code(
        "keys",
        "Key can't be trusted",
        "A key, or the folder it is in, may be read or changed by others, is a link, or is no key at all.",
        "Do as the detail says; if others may have read the key, rotate.",
        status=503,
    ),
    "key_not_found": Code(
        "keys",
        "No such key",
        "The keystore has no key of that version.",
        "`aos-server keys list` shows those there are.",
        status=404,
    ),
    "keys_conflict": Code(
        "keys",
        "Keys can't be changed like this now",
        "Somebody else changed the keys at the same time, or the change would leave no key or too many.",
        "`aos-server keys list` shows how things stand.",
        Exit.CONFLICT,
        409,
    ),
    "keys_damaged": Code(
        "keys",
        "Keys damaged",
        "The record of the keys can't be read, or a key that it names is gone.",
        "Restore it from the keystore's history or a backup; `aos-server keys verify` says what is wrong.",
        Exit.DAMAGED,
        503,
    ),
    "keys_unknown": Code(
        "keys",
        "Unknown whether the keys were changed",
        "The keystore stopped answering in the middle of a change. Either the old or the new keys hold, as a whole.",
        "Once it answers, look with `aos-server keys list` before you change anything.",
        Exit.UNKNOWN_EFFECT,
        503,
    ),
    "keystore_forbidden": Code(
        "keys",
        "Keystore refuses",
        "The keystore does not let this process do that.",
        "Check the token, role or owner, and what it may do: docs/runbooks/key-rotation.md lists it.",
        Exit.FORBIDDEN,
        503,
    ),
    "keystore_unavailable": Code(
        "keys",
        "Keystore does not answer",
        "The keystore is sealed, on standby, throttled or unreachable. A running server keeps signing with its keys.",
        "Call again once it answers.",
        Exit.TRANSIENT,
        503,
        True,
    ),
    # -- reading an input ------------------------------------------------------------------------
    "unreadable": Code(
        "input",
        "Input can't be read",
        "The file does not exist, is not a regular file, or may not be read.",
        "Check the path and its permissions; `-` reads standard input.",
    ),
    "too_large": Code(
        "input",
        "Input too large",
        "The input is over a published limit; the detail names the limit.",
        "Split it, or generate the repeated part with `for_each` or `iterations`.",
        status=413,
    ),
    "too_deep": Code(
        "input",
        "Input nested too deeply",
        "Objects and arrays are nested deeper than 32 levels.",
        "Flatten the value.",
    ),
    "not_utf8": Code(
        "input",
        "Not UTF-8",
        "The input is not UTF-8 text (or starts with a byte order mark, or holds a lone surrogate).",
        "Save it as UTF-8 without a byte order mark.",
    ),
    "malformed": Code(
        "input",
        "Malformed text",
        "The text is not well-formed JSON, YAML or TOML; the detail has line and column.",
        "Mend the text at the place named.",
        status=400,
    ),
    "duplicate_key": Code(
        "input",
        "Duplicate key",
        "An object names the same key twice, so its meaning depends on who reads it.",
        "Remove one of the two.",
    ),
    "number_out_of_range": Code(
        "input",
        "Number out of range",
        "Numbers must be finite and integers below 2^53 in size (NaN, Infinity and 1e400 are refused).",
        "Use a finite number.",
    ),
    "yaml_feature": Code(
        "input",
        "YAML feature refused",
        "YAML is read with JSON's data model: tags, anchors, aliases and merge keys are refused.",
        "Write the value out in full.",
    ),
    # -- the shape of a document -----------------------------------------------------------------
    "wrong_type": Code(
        "input",
        "Wrong type",
        "A value has another JSON type than the one expected here.",
        'Write the value with the expected type; `true` is not a number, "5" is not 5.',
    ),
    "unknown_key": Code(
        "input",
        "Unknown key",
        "The object has a key that nobody reads. Free keys start with `x-` or are called `_meta`.",
        "Correct the spelling or remove the key.",
    ),
    "missing_key": Code(
        "input",
        "Missing key",
        "A required key is absent.",
        "Add it.",
    ),
    "bad_value": Code(
        "input",
        "Value not allowed",
        "The value has the right type but is not one of those allowed here, or is out of its range.",
        "Use one of the allowed values.",
    ),
    # -- plans -----------------------------------------------------------------------------------
    "invalid_plan": Code(
        "plan",
        "Invalid plan",
        "The plan can't be simulated or run as written; `errors` lists everything wrong with it.",
        "`aos plan check PLAN` repeats this list; `aos plan schema` prints the format.",
    ),
    "unknown_skill": Code(
        "plan",
        "Unknown skill",
        "A step calls a skill that is in no catalog given.",
        "Correct the name, or add the skill: `aos catalog init SKILL`.",
    ),
    "bad_params": Code(
        "plan",
        "Parameters don't fit the skill",
        "The step's `params` break the skill's input schema.",
        "`aos skill NAME` shows the parameters.",
    ),
    "duplicate_id": Code(
        "plan",
        "Duplicate step id",
        "Two steps have the same id.",
        "Rename one of them.",
    ),
    "unknown_step": Code(
        "plan",
        "Unknown step",
        "`needs`, `when`, `on_error` or a reference names a step that the plan does not have.",
        "Correct the id.",
    ),
    "cycle": Code(
        "plan",
        "Steps wait for each other",
        "The steps' `needs`, `when` and references form a cycle, so none of them could start.",
        "Remove one of the edges named in the detail.",
    ),
    "forward_reference": Code(
        "plan",
        "Reference to a later step",
        "A step uses the output of a step that stands after it in the plan.",
        "Move the step that produces the value before the one that uses it.",
    ),
    "bad_reference": Code(
        "plan",
        "Malformed reference",
        "`${...}` holds something that is no reference: steps.ID.output.PATH, inputs.NAME, secrets.NAME, "
        "item or index.",
        "Correct it, or write `$${` for a literal `${`.",
    ),
    "unknown_output": Code(
        "plan",
        "Unknown output",
        "A reference names something that the output of that step's skill does not have.",
        "`aos skill NAME` shows the output; the output of a `for_each` step is an array.",
    ),
    "unknown_input": Code(
        "plan",
        "Unknown input",
        "A reference names an input that the plan's `inputs` do not have.",
        "Add it under `inputs`, or pass it with --input NAME=VALUE.",
    ),
    "fallback_shared": Code(
        "plan",
        "Fallback used twice",
        "A fallback step belongs to exactly one step.",
        "Give each step a fallback of its own.",
    ),
    "fallback_ordered": Code(
        "plan",
        "Fallback used as an ordinary step",
        "A fallback step runs only when its step fails; other steps can't need it, refer to it or wait for it.",
        "Refer to the step it stands in for: its output is the fallback's when that one ran.",
    ),
    "retry_widened": Code(
        "plan",
        "Retry wider than the catalog's",
        "A plan may only tighten the catalog's retry policy.",
        "Lower the figure, or change the catalog.",
    ),
    "too_many_steps": Code(
        "plan",
        "Too many steps",
        "A plan file holds at most 200 steps, 5,000 over the API, and 5,000 expanded instances.",
        "Split the plan, or lower `iterations` or the number of items.",
    ),
    # -- catalogs and configuration --------------------------------------------------------------
    "invalid_catalog": Code(
        "catalog",
        "Invalid catalog",
        "The catalog can't be used as written; `errors` lists everything wrong with it.",
        "`aos catalog check FILE` repeats this list.",
    ),
    "invalid_policy": Code(
        "policy",
        "Invalid policy",
        "The rules can't be read, or speak of what there is not; `errors` lists everything wrong, with file and line.",
        "Mend what is listed and check again: `aos policy check DIR`.",
    ),
    "policy_engine_missing": Code(
        "policy",
        "Policy engine not installed",
        "Policies are evaluated by Cedar, in a package that is not installed.",
        "pip install 'aos-plan[policy]'",
    ),
    "invalid_records": Code(
        "records",
        "Records can't be used",
        "Columns are missing, or not one row of the file is left that could be used.",
        "docs/records.md has the format; `errors` says what is wrong, with line numbers.",
    ),
    "skill_not_found": Code(
        "catalog",
        "No such skill",
        "No skill of that name stands in the catalogs given.",
        "`aos skills` lists those there are.",
        status=404,
    ),
    "invalid_result": Code(
        "result",
        "Not a saved result",
        "What was to be verified is not what `aos simulate --json` prints, or lacks what it was computed from.",
        "Save the output of `aos simulate PLAN --json` whole.",
    ),
    "result_damaged": Code(
        "result",
        "Saved result damaged",
        "The plan inside a saved result is not the one that the result's own digest was taken of.",
        "Get the result anew: what it says belongs to another plan than the one in it.",
        Exit.DAMAGED,
        409,
    ),
    "invalid_config": Code(
        "config",
        "Invalid configuration",
        "aos.toml or a setting can't be used as written; `errors` lists everything wrong with it.",
        "`aos init` writes a commented example to compare with.",
    ),
    "missing_setting": Code(
        "config",
        "Setting missing",
        "The server needs an environment variable that is not set.",
        "Set it; docs/server.md lists every setting.",
    ),
    "unsafe_setting": Code(
        "config",
        "Unsafe setting",
        "A setting would leave the server open: without authorization, in plain text, or with rights it must not have.",
        "Change it as the detail says. Only `aos-server dev`, which listens to this machine alone, goes without.",
    ),
    "file_exists": Code(
        "config",
        "File exists",
        "The file to be written already exists, and nothing was changed.",
        "Choose another path, or give --force to replace it.",
        Exit.USAGE,
        409,
    ),
    "not_implemented": Code(
        "run",
        "Skill not implemented",
        "A step calls a skill that is described here, but that nothing here carries out.",
        "Install what carries it out, or use another skill; `aos simulate` needs no implementation.",
    ),
    "not_confirmed": Code(
        "run",
        "Not confirmed",
        "The plan has steps that can't be undone, and the person asked did not say yes. Nothing was run.",
        "Run it again and say yes, or give --yes.",
        Exit.NO,
        409,
    ),
    "needs_ledger": Code(
        "query",
        "Nothing recorded",
        "The question is about past runs, and there is no record to answer it from.",
        "Run a plan first, or name the ledger with --ledger.",
        Exit.UNDETERMINED,
        404,
    ),
    # -- who asks, and how often ------------------------------------------------------------------
    "unauthenticated": Code(
        "auth",
        "Not authenticated",
        "There is no credential, or one that can't be accepted: it says for whom, from whom or how long wrongly.",
        "Log in again (`aos login`), or send a valid `Authorization: Bearer TOKEN` or `X-AOS-Key`.",
        Exit.FORBIDDEN,
        401,
    ),
    "authorization_denied": Code(
        "auth",
        "Not permitted",
        "It is known who asks, and they may not do this.",
        "Ask somebody of the level named; `aos whoami` shows your own.",
        Exit.FORBIDDEN,
        403,
    ),
    "auth_unavailable": Code(
        "auth",
        "Identity can't be established",
        "Whoever must say who asks, or what they may do, can't be reached. Nothing is allowed meanwhile.",
        "Try again after the time named.",
        Exit.TRANSIENT,
        503,
        True,
    ),
    "rate_limited": Code(
        "limits",
        "Too many requests",
        "The limit of requests a minute is used up for now; other callers have their own.",
        "Wait for the time named in `retry_after_s`. The headers RateLimit-Policy and RateLimit say what is left.",
        Exit.TRANSIENT,
        429,
        True,
    ),
    "head_too_large": Code(
        "limits",
        "Headers too large",
        "The request line and headers are more than a request may have.",
        "Send fewer or shorter headers.",
        Exit.USAGE,
        431,
    ),
    "bad_http": Code(
        "limits",
        "Not a proper request",
        "What arrived is not HTTP/1.1, or can be read in more than one way.",
        "Send one Host, and one of Content-Length and Transfer-Encoding.",
        Exit.USAGE,
        400,
    ),
    # -- the ledger ------------------------------------------------------------------------------
    "ledger_damaged": Code(
        "ledger",
        "Ledger damaged",
        "The ledger is not what was written to it, so nothing is added to it.",
        "`aos ledger verify` says where. Put a copy back, or move the file away: a new one is then begun.",
        Exit.DAMAGED,
        500,
    ),
    "ledger_foreign": Code(
        "ledger",
        "Not a ledger",
        "The file is no ledger, or one of a later version of aos. It was not touched.",
        "Name another file with --ledger, or update aos.",
        Exit.DAMAGED,
        409,
    ),
    "ledger_busy": Code(
        "ledger",
        "Ledger busy",
        "Other processes kept the ledger locked for two minutes.",
        "Try again; if it stays so, look for a process that hangs with the file open.",
        Exit.TRANSIENT,
        503,
        retryable=True,
    ),
    "run_not_found": Code(
        "ledger",
        "No such run",
        "No run of that id is in the ledger.",
        "`aos runs list` shows those there are; --ledger names another ledger.",
        status=404,
    ),
    "run_conflict": Code(
        "ledger",
        "Run in another state",
        "The run, or the attempt, is not in a state that allows this: it has ended, or somebody else was first.",
        "`aos runs show RUN` tells how it stands.",
        Exit.CONFLICT,
        409,
    ),
    # -- the server's API ------------------------------------------------------------------------
    "invalid_request": Code(
        "http",
        "Invalid request",
        "The request can't be understood; `errors` lists everything wrong with it.",
        "Compare it with GET /openapi.json.",
    ),
    "not_found": Code(
        "http",
        "Not found",
        "There is nothing at this address, or nothing that this caller may see.",
        "GET /openapi.json lists the addresses there are.",
        status=404,
    ),
    "resource_not_found": Code(
        "http",
        "No such resource",
        "No skill and no pool of slots of that name stands in the tenant's catalog.",
        "GET /api/v1/runtime/skills lists the skills, each with its pool.",
        status=404,
    ),
    "method_not_allowed": Code(
        "http",
        "Method not allowed",
        "This address answers other methods; the header Allow lists them.",
        "Use one of those.",
        status=405,
    ),
    "unsupported_media_type": Code(
        "http",
        "Not JSON",
        "The body's Content-Type is not one that this address takes.",
        "Send the body as application/json, in UTF-8 and not compressed.",
        status=415,
    ),
    "request_too_slow": Code(
        "http",
        "Request too slow",
        "The request had not arrived in full after the time that it may take.",
        "Send it again, over a better connection or in a smaller piece.",
        Exit.TRANSIENT,
        408,
        True,
    ),
    "foreign_host": Code(
        "http",
        "Called under a foreign name",
        "The Host or Origin header is not one of this server's names, so a foreign web page may be behind the request.",
        "Call the server by its own name; AOS_HOSTS lists its names.",
        Exit.FORBIDDEN,
        403,
    ),
    "not_ready": Code(
        "http",
        "Not ready",
        "The server takes no requests for now: it is ending, or something that it depends on is gone.",
        "Send the requests to another one; GET /health says what is missing.",
        Exit.TRANSIENT,
        503,
        True,
    ),
    "local_missing": Code(
        "server",
        "Postgres is not installed",
        "`aos-server dev` brings its own Postgres, in a package that is not installed.",
        "pip install 'aos-plan[server,local]'",
    ),
    "port_taken": Code(
        "server",
        "Port taken",
        "Another program listens at the address that the server should.",
        "End it, or choose another port: --port, or AOS_PORT.",
    ),
    "overloaded": Code(
        "http",
        "Too much to compute",
        "More plans wait to be computed than can be soon.",
        "Call again after `retry_after_s` seconds.",
        Exit.TRANSIENT,
        503,
        True,
    ),
    "not_computed": Code(
        "http",
        "Not computed",
        "The plan took more time than the server gives to one, or its computing was cut off.",
        "Call again after `retry_after_s` seconds, with fewer samples, without alternatives, or with a smaller plan.",
        Exit.TRANSIENT,
        503,
        True,
    ),
    # -- asking a server -------------------------------------------------------------------------
    "login_failed": Code(
        "auth",
        "Not logged in",
        "The OpenID provider gave no token: the login was refused, took too long, or has ended.",
        "Log in again: `aos login`.",
        Exit.FORBIDDEN,
        401,
    ),
    "unreachable": Code(
        "client",
        "Server out of reach",
        "There is no answer from the server: nothing listens there, the name is unknown, or it took too long.",
        "Check the URL (AOS_BASE_URL, or `--server`) and whether the server runs: `aos health`.",
        Exit.TRANSIENT,
        503,
        True,
    ),
    "unexpected_answer": Code(
        "client",
        "Unexpected answer",
        "What answers at that address is no aos server, or one that this version does not understand.",
        "Check the URL (AOS_BASE_URL, or `--server`); look for a proxy in between.",
        Exit.TRANSIENT,
        502,
    ),
    # -- verdicts: reasons, not errors -----------------------------------------------------------
    "budget_insufficient": Code(
        "verdict",
        "Over budget",
        "The chance that the plan's cost stays within the budget is below the confidence asked for.",
        "Raise the budget to the amount named, if one is; or make the dearest steps cheaper.",
        Exit.NO,
        200,
    ),
    "deadline_exceeded": Code(
        "verdict",
        "Past the deadline",
        "The chance that the plan ends by the deadline is below the confidence asked for.",
        "Move the deadline to the time named, if one is; or let independent steps run in parallel (`needs`).",
        Exit.NO,
        200,
    ),
    "limits_exceeded": Code(
        "verdict",
        "Over the limits taken together",
        "Budget and deadline are each kept often enough, but not both at once.",
        "Relax one of them.",
        Exit.NO,
        200,
    ),
    "risk_too_high": Code(
        "verdict",
        "Risk too high",
        "The chance that every step succeeds is below the one asked for.",
        "Give the riskiest step a fallback or `on_error: continue`.",
        Exit.NO,
        200,
    ),
    "skill_unavailable": Code(
        "verdict",
        "Skill unavailable",
        "The skill is known but disabled, or has no implementation here.",
        "Enable it in the catalog, or use another skill.",
        Exit.NO,
        200,
    ),
    "permission_denied": Code(
        "verdict",
        "Permission denied",
        "A permission or a policy forbids a step.",
        "Ask for the permission, or use another skill.",
        Exit.NO,
        200,
    ),
    "too_close": Code(
        "verdict",
        "Too close to call",
        "At the most samples the chance is still within two standard errors of its threshold.",
        "Move the limit or the threshold a little; more samples would not tell.",
        Exit.UNDETERMINED,
        200,
    ),
    "unknown_cost": Code(
        "verdict",
        "Cost unknown",
        "Nobody has said what a step costs, so the chance to stay within the budget can't be told.",
        "Declare a price in a catalog (`--catalog`), or record runs and calibrate.",
        Exit.UNDETERMINED,
        200,
    ),
    "unknown_latency": Code(
        "verdict",
        "Latency unknown",
        "Nobody has said how long a step takes, so the chance to meet the deadline can't be told.",
        "Declare a latency in a catalog (`--catalog`), or record runs and calibrate.",
        Exit.UNDETERMINED,
        200,
    ),
    "unknown_failure": Code(
        "verdict",
        "Failure chance unknown",
        "Nobody has said how often a step fails, so the chance of success can't be told.",
        "Declare failure modes in a catalog (`--catalog`), or record runs and calibrate.",
        Exit.UNDETERMINED,
        200,
    ),
    "unknown_items": Code(
        "verdict",
        "Number of items unknown",
        "`for_each` goes over something whose length nobody knows before the run.",
        'Say what to expect: `"expect": {"items": {"p50": 5, "p90": 20}}`.',
        Exit.UNDETERMINED,
        200,
    ),
    "unknown_wait": Code(
        "verdict",
        "Wait for people unknown",
        "A step asks for an approval and nobody has recorded how long people take to decide.",
        "Declare `approval_wait` in a catalog; the verdict counts active time only.",
        Exit.YES,
        200,
    ),
    "approval_required": Code(
        "verdict",
        "Approval required",
        "A step waits for a person of the level named before it runs.",
        "Nothing to mend: ask for the approval when the plan is ready to run.",
        Exit.PENDING,
        200,
    ),
}
