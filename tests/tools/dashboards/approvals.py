"""The dashboard "Approval Workflow": what waits for people, what becomes of it, and who is told."""

from tests.tools.dashboards.panels import Board, Panel, Row

_OURS = 'instance=~"$instance"'

APPROVALS = Board(
    "aos-approval-workflow",
    "Approval Workflow",
    "What waits for people, what becomes of it, and who is told.",
    [
        Row(
            "Now",
            [
                Panel(
                    "Waiting",
                    "Requests that wait for people, by the level that they need.",
                    {"level {{level}}": f"max by (level) (nova_approval_pending{{{_OURS}}} >= 0)"},
                    kind="number",
                ),
                Panel(
                    "Running out of time",
                    "Requests that wait with less than a tenth of their time left.",
                    {"closing": "max(nova_approval_closing >= 0)"},
                    kind="number",
                    limit=1,
                    alerts=("AosApprovalsClosing",),
                ),
                Panel(
                    "Expired unanswered",
                    "Of the requests that ended within a day, the share that nobody decided. No data where none ended.",
                    {
                        "expired": 'sum(increase(nova_approval_decisions_total{result="expired"}[1d])) / '
                        'sum(increase(nova_approval_decisions_total{result=~"approved|rejected|expired"}[1d]))'
                    },
                    "percentunit",
                    "number",
                    0.2,
                    alerts=("AosApprovalsUnanswered",),
                ),
                Panel(
                    "Reviews open",
                    "Times that somebody approved alone, by breaking the glass, and nobody has looked at it.",
                    {"open": f"max(nova_approval_reviews_open{{{_OURS}}} >= 0)"},
                    kind="number",
                    limit=1,
                    alerts=("AosGlassBroken", "AosReviewOpen"),
                ),
            ],
        ),
        Row(
            "Requests",
            [
                Panel(
                    "Made",
                    "Requests made within an hour, by the level they needed first.",
                    {
                        "level {{level}}": f"sum by (level) (increase(nova_approval_requests_total{{{_OURS}}}[1h]))"
                    },
                ),
                Panel(
                    "What became of them",
                    "Within an hour. One that is approved may be consumed later.",
                    {
                        "{{result}}": f"sum by (result) (increase(nova_approval_decisions_total{{{_OURS}}}[1h]))"
                    },
                ),
                Panel(
                    "Time until the end",
                    "Half of the requests, and 90 % of them, had ended so long after they were made; within a day.",
                    {
                        f"p{percent} {{{{result}}}}": f"histogram_quantile({percent / 100}, sum by (le, result) "
                        f"(increase(nova_approval_decision_seconds_bucket{{{_OURS}}}[1d])))"
                        for percent in (50, 90)
                    },
                    "s",
                ),
                Panel(
                    "Decisions answered, and within a second",
                    "Shares of the last hour: approve, reject, escalate. Promised: 99.9 % and 99 %.",
                    {
                        "answered": '1 - slo:nova_errors:ratio1h{slo="decide"}',
                        "in time": '1 - slo:nova_slow:ratio1h{slo="decide"}',
                    },
                    "percentunit",
                    alerts=("AosErrorsBurnFast", "AosSlowBurnsFast"),
                ),
                Panel(
                    "Written down late",
                    "For how long the request whose time was up first should have been written down as expired.",
                    {"overdue": "max(nova_approval_longest_overdue_seconds >= 0)"},
                    "s",
                    limit=60,
                    alerts=("AosApprovalsNotExpired",),
                ),
            ],
        ),
        Row(
            "Messages",
            [
                Panel(
                    "Tries to deliver",
                    "A second, by how they ended. `failed`: given up for good.",
                    {
                        "{{result}}": "sum by (result) "
                        f"(rate(nova_webhook_deliveries_total{{{_OURS}}}[$__rate_interval]))"
                    },
                    "ops",
                    alerts=("AosDeliveriesFailing", "AosDeliveriesGivenUp"),
                ),
                Panel(
                    "From a change to the arrival of its message",
                    "Half of the messages, and 95 % of them, arrived so long after what they tell of.",
                    {
                        f"p{percent}": f"histogram_quantile({percent / 100}, sum by (le) "
                        f"(rate(nova_webhook_lag_seconds_bucket{{{_OURS}}}[$__rate_interval])))"
                        for percent in (50, 95)
                    },
                    "s",
                ),
                Panel(
                    "Waiting to be delivered",
                    "Deliveries that wait at active webhooks; also those whose receiver did not take them, until their "
                    "next try.",
                    {"waiting": "max(nova_webhook_waiting >= 0)"},
                    alerts=("AosDeliveriesOverdue",),
                ),
                Panel(
                    "Due, and not tried",
                    "For how long the delivery that was due first has waited for a worker, and the oldest message for "
                    "deliveries.",
                    {
                        "delivery": "max(nova_webhook_longest_overdue_seconds >= 0)",
                        "message": "max(nova_outbox_oldest_unspread_seconds >= 0)",
                    },
                    "s",
                    limit=120,
                    alerts=("AosOutboxStuck", "AosDeliveriesOverdue"),
                ),
            ],
        ),
    ],
)
