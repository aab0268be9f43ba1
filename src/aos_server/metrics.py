"""Metrics for Prometheus. Every process counts for itself; `exposition` adds up those that share a folder.

deploy/prometheus has alerts on them and deploy/grafana pictures of them, which tests hold against what is here.

The folder is PROMETHEUS_MULTIPROC_DIR, which has to be set before this module is imported. Labels are of a fixed, small
number of values: no caller and no tenant is among them.
"""

import os
from math import nan
from pathlib import Path
from typing import get_args

from prometheus_client import (
    GC_COLLECTOR,
    PLATFORM_COLLECTOR,
    PROCESS_COLLECTOR,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import REGISTRY

from aos.domain.forecasts.verdicts import Status

__all__ = [
    "APPROVALS_CLOSING",
    "APPROVALS_OVERDUE",
    "APPROVALS_PENDING",
    "APPROVAL_DECISIONS",
    "APPROVAL_REQUESTS",
    "APPROVAL_REVIEWS_OPEN",
    "APPROVAL_SECONDS",
    "AUDIT_OLDEST",
    "AUDIT_SOUND",
    "BACKUP_ATTEMPTED",
    "BACKUP_BYTES",
    "BACKUP_GOOD",
    "BACKUP_SECONDS",
    "BREAK_GLASS",
    "CLOCK_AHEAD",
    "CONTENT_TYPE",
    "COUNTED_LOCALLY",
    "DECISIONS",
    "DELIVERIES",
    "DELIVERY_LAG",
    "DEPENDENCY_UP",
    "FAILURES",
    "FORECAST_CENTS",
    "FORECAST_UNKNOWN",
    "IN_FLIGHT",
    "JOBS_PUT_BACK",
    "JOBS_RUN",
    "JOB_PERIOD",
    "JOB_SECONDS",
    "JOB_SUCCEEDED",
    "KEYSTORE_UP",
    "KEYS_LIVE",
    "KEYS_UNACCEPTED",
    "KEY_AGE",
    "KEY_GRACE_ENDS",
    "KEY_ROTATE_AFTER",
    "KEY_ROTATIONS",
    "LAST_TURN",
    "NO_CONNECTION",
    "OUTBOX_OLDEST",
    "POLICY_ERRORS",
    "REQUESTS",
    "RUNS",
    "RUN_CENTS",
    "RUN_UNPRICED",
    "SECONDS",
    "SIMULATIONS",
    "TURNS_FAILED",
    "WEBHOOKS_DISABLED",
    "WEBHOOKS_OLDEST",
    "WEBHOOKS_OVERDUE",
    "WEBHOOKS_WAITING",
    "WORKERS_LOST",
    "exposition",
]

disable_created_metrics()  # type: ignore[no-untyped-call]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

REQUESTS = Counter("nova_http_requests_total", "Requests answered", ["method", "route", "status"])
SECONDS = Histogram(
    "nova_http_request_seconds",
    "Time from a request's headers to the end of its answer",
    ["route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
FAILURES = Counter(
    "nova_http_failures_total", "Requests that the server could not serve (5xx), by code", ["code"]
)
DEPENDENCY_UP = Gauge(
    "nova_dependency_up",
    "Whether what the server depends on was there when it was looked for: database, auth, redis",
    ["dependency"],
    multiprocess_mode="mostrecent",
)
NO_CONNECTION = Counter(
    "nova_database_no_connection_total", "Calls for which no connection of the pool became free in time"
)
CLOCK_AHEAD = Gauge(
    "nova_clock_ahead_seconds",
    "How far this machine's clock is ahead of the database's",
    multiprocess_mode="mostrecent",
)
IN_FLIGHT = Gauge("nova_http_requests_in_flight", "Requests being answered", multiprocess_mode="livesum")
COUNTED_LOCALLY = Counter(
    "nova_rate_counted_locally_total",
    "Requests that a process counted for itself, since Redis did not answer, by class",
    ["class"],
)
SIMULATIONS = Counter("nova_simulations_total", "Plans simulated, by status", ["status"])
DECISIONS = Counter("nova_policy_decisions_total", "Policy decisions, by decision", ["decision"])
POLICY_ERRORS = Counter("nova_policy_errors_total", "Answers for which rules could not be read or evaluated")
FORECAST_CENTS = Counter(
    "nova_policy_forecast_cents_total",
    "What the calls and plans decided on would cost in 95 of 100 runs, added up, by decision",
    ["decision"],
)
FORECAST_UNKNOWN = Counter(
    "nova_policy_forecast_unknown_total", "Decisions on what nobody can price", ["decision"]
)
RUNS = Counter("nova_runs_recorded_total", "Records of runs that were kept, by the run's status", ["status"])
RUN_CENTS = Counter(
    "nova_run_cost_cents_total", "What recorded runs have cost, without attempts of no known price"
)
RUN_UNPRICED = Counter(
    "nova_run_unpriced_attempts_total", "Attempts of recorded runs whose price nobody knows"
)
APPROVAL_REQUESTS = Counter(
    "nova_approval_requests_total",
    "Approval requests made, by the level they needed first",
    ["policy_type", "level"],
)
APPROVAL_DECISIONS = Counter(
    "nova_approval_decisions_total",
    "What became of approval requests, by the level required",
    ["result", "level"],
)
APPROVAL_SECONDS = Histogram(
    "nova_approval_decision_seconds",
    "Time from a request to its end as approved, rejected, expired or cancelled",
    ["result"],
    buckets=(1, 10, 60, 300, 900, 3600, 4 * 3600, 8 * 3600, 24 * 3600, 3 * 24 * 3600, 7 * 24 * 3600),
)
APPROVALS_PENDING = Gauge(
    "nova_approval_pending",
    "Requests that wait for people, by level",
    ["level"],
    multiprocess_mode="mostrecent",
)
APPROVAL_REVIEWS_OPEN = Gauge(
    "nova_approval_reviews_open", "Broken glasses that nobody has reviewed", multiprocess_mode="mostrecent"
)
APPROVALS_CLOSING = Gauge(
    "nova_approval_closing",
    "Requests that wait for people with less than a tenth of their time left",
    multiprocess_mode="mostrecent",
)
APPROVALS_OVERDUE = Gauge(
    "nova_approval_longest_overdue_seconds",
    "For how long the request whose time was up first should have been written down as expired; 0: none",
    multiprocess_mode="mostrecent",
)
BREAK_GLASS = Counter(
    "nova_approval_break_glass_total", "Requests that one person approved by breaking the glass"
)
WORKERS_LOST = Counter(
    "nova_engine_processes_lost_total", "Processes that were killed while they computed a plan"
)
DELIVERIES = Counter("nova_webhook_deliveries_total", "Tries to deliver a message, by result", ["result"])
DELIVERY_LAG = Histogram(
    "nova_webhook_lag_seconds",
    "Time from a change to the arrival of its message",
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600, 3600, 14400, 86400, 345600),
)
# Every worker measures the same, so the latest one is right.
WEBHOOKS_WAITING = Gauge(
    "nova_webhook_waiting",
    "Deliveries that wait, of webhooks that are active",
    multiprocess_mode="mostrecent",
)
WEBHOOKS_OLDEST = Gauge(
    "nova_webhook_oldest_undelivered_seconds", "Age of the oldest of them", multiprocess_mode="mostrecent"
)
WEBHOOKS_OVERDUE = Gauge(
    "nova_webhook_longest_overdue_seconds",
    "For how long the delivery that was due first has waited for a worker to try it; 0: none is due",
    multiprocess_mode="mostrecent",
)
OUTBOX_OLDEST = Gauge(
    "nova_outbox_oldest_unspread_seconds",
    "Age of the oldest message of which no deliveries were made yet; 0: there is none",
    multiprocess_mode="mostrecent",
)
AUDIT_OLDEST = Gauge(
    "nova_audit_oldest_unsequenced_seconds",
    "Age of the oldest row of the audit log that no signed checkpoint covers yet; 0: there is none",
    multiprocess_mode="mostrecent",
)
AUDIT_SOUND = Gauge(
    "nova_audit_sound",
    "0: the checkpoints outside the database know of rows that it has not, or has otherwise; nothing is signed",
    multiprocess_mode="mostrecent",
)
WEBHOOKS_DISABLED = Gauge(
    "nova_webhook_disabled_endpoints", "Webhooks that are disabled", multiprocess_mode="mostrecent"
)

KEY_AGE = Gauge(
    "nova_webhook_key_age_seconds",
    "Age of the key that signs; NaN where nobody wrote down when it was made",
    multiprocess_mode="mostrecent",
)
KEYS_LIVE = Gauge("nova_webhook_key_live", "Keys that sign", multiprocess_mode="mostrecent")
KEY_ROTATE_AFTER = Gauge(
    "nova_webhook_key_rotate_after_seconds",
    "The age at which a worker rotates the key; NaN where none does",
    multiprocess_mode="mostrecent",
)
KEY_GRACE_ENDS = Gauge(
    "nova_webhook_key_grace_ends_timestamp_seconds",
    "When the key before the current one signs no more; NaN where one key signs alone",
    multiprocess_mode="mostrecent",
)
KEYS_UNACCEPTED = Gauge(
    "nova_webhook_key_unaccepted",
    "Webhooks that have not accepted a message signed by the current key alone; NaN where one key signs alone",
    multiprocess_mode="mostrecent",
)
KEYSTORE_UP = Gauge(
    "nova_webhook_key_backend_up",
    "Whether the keystore could be read at the last look; loaded keys sign on",
    multiprocess_mode="mostrecent",
)
KEY_ROTATIONS = Counter("nova_webhook_key_rotations_total", "Rotations of the key, by result", ["result"])

# Of the folder of backups, which a worker looks at; NaN where it has none to look at, or there is none yet.
BACKUP_GOOD = Gauge(
    "nova_backup_last_good_timestamp_seconds",
    "When the last good backup began: one that was restored and compared",
    multiprocess_mode="mostrecent",
)
BACKUP_ATTEMPTED = Gauge(
    "nova_backup_last_attempt_timestamp_seconds",
    "When a backup was last made with that result: good, bad, or failed where there is none",
    ["result"],
    multiprocess_mode="mostrecent",
)
BACKUP_SECONDS = Gauge(
    "nova_backup_duration_seconds",
    "What the last good backup took, from its beginning to the end of its trial",
    multiprocess_mode="mostrecent",
)
BACKUP_BYTES = Gauge("nova_backup_size_bytes", "Size of the last good backup", multiprocess_mode="mostrecent")

TURNS_FAILED = Counter(
    "nova_worker_turns_failed_total", "Turns of a loop of the worker that failed", ["loop"]
)
LAST_TURN = Gauge(
    "nova_worker_last_turn_timestamp_seconds",
    "When a loop of the worker last took a turn that did not fail",
    ["loop"],
    multiprocess_mode="mostrecent",
)
JOBS_RUN = Counter("nova_jobs_total", "Periodic jobs done by this process, by result", ["name", "result"])
JOB_SECONDS = Histogram(
    "nova_job_seconds",
    "What a periodic job took",
    ["name"],
    buckets=(0.01, 0.1, 1, 10, 60, 600, 3600, 4 * 3600),
)
JOBS_PUT_BACK = Counter("nova_jobs_put_back_total", "Jobs taken from workers that were gone", ["name"])
# As above, every worker measures the same.
JOB_SUCCEEDED = Gauge(
    "nova_job_last_success_timestamp_seconds",
    "When a periodic job last succeeded, in any worker; NaN: never yet",
    ["name"],
    multiprocess_mode="mostrecent",
)
JOB_PERIOD = Gauge(
    "nova_job_period_seconds", "Time between two ticks of the job", ["name"], multiprocess_mode="mostrecent"
)

# A series that does not exist before its first event can't be told from one that is broken.
for status in get_args(Status):
    SIMULATIONS.labels(status)
for decision in ("allow", "deny", "requires_approval"):
    for counter in (DECISIONS, FORECAST_CENTS, FORECAST_UNKNOWN):
        counter.labels(decision)
for code in ("internal_error", "unavailable", "auth_unavailable", "overloaded", "not_computed"):
    FAILURES.labels(code)
for run in ("running", "paused", "succeeded", "failed", "cancelled"):
    RUNS.labels(run)
for traffic in ("decide", "create", "evaluate", "read"):
    COUNTED_LOCALLY.labels(traffic)
for result in ("approved", "rejected", "escalated", "expired", "cancelled", "consumed"):
    for level in range(1, 6):
        APPROVAL_DECISIONS.labels(result, level)
for result in ("done", "failed"):
    KEY_ROTATIONS.labels(result)
for result in ("delivered", "retried", "failed", "lost"):
    DELIVERIES.labels(result)
# What somebody has to measure is unknown until they do, and not every process has such a somebody: that is no 0.
for gauge in (
    *(BACKUP_GOOD, BACKUP_SECONDS, BACKUP_BYTES),
    *(BACKUP_ATTEMPTED.labels(result) for result in ("good", "bad", "failed")),
    *(WEBHOOKS_WAITING, WEBHOOKS_OLDEST, WEBHOOKS_OVERDUE, WEBHOOKS_DISABLED, OUTBOX_OLDEST),
    *(KEY_AGE, KEYS_LIVE, KEY_ROTATE_AFTER, KEY_GRACE_ENDS, KEYS_UNACCEPTED, KEYSTORE_UP),
    *(APPROVALS_CLOSING, APPROVALS_OVERDUE, APPROVAL_REVIEWS_OPEN, AUDIT_OLDEST, AUDIT_SOUND, CLOCK_AHEAD),
):
    gauge.set(nan)
# Every name starts with `nova_`, also where the library would add what it knows of the process.
for collector in (GC_COLLECTOR, PLATFORM_COLLECTOR, PROCESS_COLLECTOR):
    REGISTRY.unregister(collector)


def exposition() -> bytes:
    """All series as Prometheus text, those of every process that shares the folder."""
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if folder is None:
        return generate_latest(REGISTRY)
    _forget_the_dead(Path(folder))
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


def _forget_the_dead(folder: Path) -> None:
    """Processes that are no more have no requests in flight. What they counted stays."""
    for path in folder.glob("gauge_live*_*.db"):
        if not Path(f"/proc/{path.stem.rpartition('_')[2]}").exists():
            path.unlink(missing_ok=True)
