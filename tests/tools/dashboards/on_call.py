"""The dashboard "On call": what is wrong, from the top down, for somebody who was woken."""

from tests.tools.dashboards.panels import Board, Panel, Row

_OURS = 'instance=~"$instance"'

ON_CALL = Board(
    "aos-on-call",
    "On call",
    "What is wrong, from the top down: alerts, what people notice, what the server depends on, what workers do.",
    [
        Row(
            "Alerts",
            [
                Panel(
                    "Firing",
                    "Every alert that fires. No data: none does, not even the one that always should.",
                    {
                        "": 'sum by (alertname, severity, job, slo, loop, name, metric) (ALERTS{alertstate="firing"})'
                    },
                    kind="table",
                    alerts=("AosWatchdog",),
                ),
                Panel(
                    "Servers and workers that answer",
                    "1: Prometheus gets their metrics.",
                    {"{{job}} {{instance}}": f'up{{job=~"aos-(server|worker)",{_OURS}}}'},
                    kind="number",
                    limit=1,
                    below=True,
                    alerts=("AosTargetDown", "AosTargetMissing"),
                ),
                Panel(
                    "What servers depend on",
                    "1: it was there when it was looked for. Without `database` nothing works; without `auth` nothing "
                    "is decided; without `redis` each process counts requests for itself.",
                    {"{{dependency}} {{instance}}": f"nova_dependency_up{{{_OURS}}}"},
                    kind="number",
                    limit=1,
                    below=True,
                    alerts=("AosDatabaseGone", "AosAuthGone", "AosRedisGone"),
                ),
                Panel(
                    "Budgets that burn",
                    "Errors and slow answers of the last hour as a share; the budgets are 0.1 % and 1 % of a month.",
                    {
                        "{{slo}} failed": "slo:nova_errors:ratio1h",
                        "{{slo}} slow": "slo:nova_slow:ratio1h",
                    },
                    "percentunit",
                    "number",
                    0.0144,
                    alerts=("AosErrorsBurnFast", "AosSlowBurnsFast"),
                ),
            ],
        ),
        Row(
            "What people notice",
            [
                Panel(
                    "Requests",
                    "A second, by the status they were answered with. 499: whoever asked hung up.",
                    {
                        "{{status}}": f"sum by (status) (rate(nova_http_requests_total{{{_OURS}}}[$__rate_interval]))"
                    },
                    "reqps",
                ),
                Panel(
                    "Why requests failed",
                    "Answers 5xx a second, by code: `aos explain CODE` says what each means.",
                    {
                        "{{code}}": f"sum by (code) (rate(nova_http_failures_total{{{_OURS}}}[$__rate_interval])) > 0"
                    },
                    "reqps",
                    alerts=("AosErrorsBurnFast", "AosInternalErrors"),
                ),
                Panel(
                    "The slowest routes",
                    "95 % of the requests to each took no longer.",
                    {
                        "{{route}}": "topk(5, histogram_quantile(0.95, sum by (le, route) "
                        f"(rate(nova_http_request_seconds_bucket{{{_OURS}}}[$__rate_interval]))))"
                    },
                    "s",
                    alerts=("AosSlowBurnsFast",),
                ),
                Panel(
                    "Being answered",
                    "Requests that wait for their answer: it grows where something does not come back.",
                    {"{{instance}}": f"nova_http_requests_in_flight{{{_OURS}}}"},
                ),
                Panel(
                    "Refused for asking too often",
                    "Share of all requests (429). The log names who it is.",
                    {
                        "refused": f'sum(rate(nova_http_requests_total{{status="429",{_OURS}}}[$__rate_interval])) / '
                        f"sum(rate(nova_http_requests_total{{{_OURS}}}[$__rate_interval]))"
                    },
                    "percentunit",
                    limit=0.25,
                    alerts=("AosManyRateLimited",),
                ),
                Panel(
                    "Counted without Redis",
                    "Requests a second that a process counted for itself.",
                    {
                        "{{class}}": "sum by (class) "
                        f"(rate(nova_rate_counted_locally_total{{{_OURS}}}[$__rate_interval]))"
                    },
                    "reqps",
                    alerts=("AosRedisGone",),
                ),
            ],
        ),
        Row(
            "Machines and the database",
            [
                Panel(
                    "No connection became free",
                    "Calls that waited 2 s for a connection to the database, in vain.",
                    {
                        "{{instance}}": f"increase(nova_database_no_connection_total{{{_OURS}}}[$__rate_interval])"
                    },
                    alerts=("AosPoolExhausted",),
                ),
                Panel(
                    "Clocks",
                    "How far each is ahead of the database's.",
                    {"{{instance}}": f"nova_clock_ahead_seconds{{{_OURS}}}"},
                    "s",
                    alerts=("AosClockOff",),
                ),
            ],
        ),
        Row(
            "Workers",
            [
                Panel(
                    "Since each loop last turned",
                    "In whichever worker. Seconds are usual.",
                    {"{{loop}}": "time() - max by (loop) (nova_worker_last_turn_timestamp_seconds)"},
                    "s",
                    limit=120,
                    alerts=("AosLoopStalled",),
                ),
                Panel(
                    "Turns that failed",
                    "Within five minutes. The workers' logs say why.",
                    {"{{loop}}": f"sum by (loop) (increase(nova_worker_turns_failed_total{{{_OURS}}}[5m]))"},
                    alerts=("AosLoopStalled",),
                ),
                Panel(
                    "Jobs, in periods since they last succeeded",
                    "Above 2: late. No data of one that has never succeeded.",
                    {
                        "{{name}}": "(time() - max by (name) (nova_job_last_success_timestamp_seconds >= 0)) "
                        "/ max by (name) (nova_job_period_seconds)"
                    },
                    limit=2,
                    alerts=("AosJobLate", "AosJobNeverDone"),
                ),
                Panel(
                    "Since the last good backup",
                    "Since one was begun that was restored and compared. No data: there is none.",
                    {"last good": "time() - max(nova_backup_last_good_timestamp_seconds >= 0)"},
                    "s",
                    limit=26 * 3600,
                    alerts=("AosBackupOld",),
                ),
                Panel(
                    "The audit log, unsigned",
                    "Age of the oldest row that no signed checkpoint covers.",
                    {"oldest": "max(nova_audit_oldest_unsequenced_seconds >= 0)"},
                    "s",
                    limit=60,
                    alerts=("AosAuditLags", "AosAuditDamaged"),
                ),
                Panel(
                    "The key that signs webhooks",
                    "Its age; while two keys sign, what is left of the old one's time.",
                    {
                        "age": "max(nova_webhook_key_age_seconds >= 0)",
                        "old one ends in": "max(nova_webhook_key_grace_ends_timestamp_seconds >= 0) - time()",
                    },
                    "s",
                    alerts=("AosKeyOld", "AosKeyGraceEnds", "AosKeystoreGone"),
                ),
                Panel(
                    "Webhooks without the new key, and disabled ones",
                    "Whoever has not accepted it refuses everything once the old key ends.",
                    {
                        "not accepted": "max(nova_webhook_key_unaccepted >= 0)",
                        "disabled": "max(nova_webhook_disabled_endpoints >= 0)",
                    },
                    alerts=("AosKeyGraceEnds",),
                ),
            ],
        ),
    ],
)
