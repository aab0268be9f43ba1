"""The dashboard "M5 Policy": what is decided, how fast, and whether rules and engine keep up."""

from tests.tools.dashboards.panels import Board, Panel, Row

_OURS = 'instance=~"$instance"'
_EVAL = f'route="/api/v1/policy/eval",{_OURS}'


def _quantiles(of: str) -> dict[str, str]:
    return {
        f"p{percent}": f"histogram_quantile({percent / 100}, sum by (le) "
        f"(rate(nova_http_request_seconds_bucket{{{of}}}[$__rate_interval])))"
        for percent in (50, 95, 99)
    }


POLICY = Board(
    "aos-m5-policy",
    "M5 Policy",
    "What the policy decides, how fast, and whether rules and engine keep up.",
    [
        Row(
            "Promises",
            [
                Panel(
                    "Evaluations answered",
                    "Share of the last hour's evaluations of the policy that were answered, rather than failed (5xx). "
                    "Promised: 99.9 %. No data where there was none.",
                    {"answered": '1 - slo:nova_errors:ratio1h{slo="evaluate"}'},
                    "percentunit",
                    "number",
                    0.999,
                    below=True,
                    alerts=("AosErrorsBurnFast", "AosErrorsBurn"),
                ),
                Panel(
                    "Evaluations within a second",
                    "Share of the last hour's evaluations that took no more than a second. Promised: 99 %.",
                    {"in time": '1 - slo:nova_slow:ratio1h{slo="evaluate"}'},
                    "percentunit",
                    "number",
                    0.99,
                    below=True,
                    alerts=("AosSlowBurnsFast", "AosSlowBurns"),
                ),
                Panel(
                    "Decisions of the last hour",
                    "How often the policy was asked about a call or a plan.",
                    {"decisions": f"sum(increase(nova_policy_decisions_total{{{_OURS}}}[1h]))"},
                    kind="number",
                ),
                Panel(
                    "Rules that failed",
                    "Answers of the last hour for which rules could not be read or evaluated. What they are about is "
                    "denied.",
                    {"failed": f"sum(increase(nova_policy_errors_total{{{_OURS}}}[1h]))"},
                    kind="number",
                    limit=1,
                    alerts=("AosPolicyErrors",),
                ),
            ],
        ),
        Row(
            "What is decided",
            [
                Panel(
                    "Decisions",
                    "Evaluations a second, by what was decided.",
                    {
                        "{{decision}}": f"sum by (decision) "
                        f"(rate(nova_policy_decisions_total{{{_OURS}}}[$__rate_interval]))"
                    },
                    "reqps",
                ),
                Panel(
                    "Share that is not simply allowed",
                    "A jump after a new version of the rules is that version. See also the audit log.",
                    {
                        "{{decision}}": f"sum by (decision) "
                        f'(rate(nova_policy_decisions_total{{decision!="allow",{_OURS}}}[$__rate_interval])) '
                        f"/ scalar(sum(rate(nova_policy_decisions_total{{{_OURS}}}[$__rate_interval])))"
                    },
                    "percentunit",
                ),
                Panel(
                    "Plans simulated",
                    "Simulations a second, by verdict.",
                    {
                        "{{status}}": f"sum by (status) (rate(nova_simulations_total{{{_OURS}}}[$__rate_interval])) > 0"
                    },
                    "reqps",
                ),
                Panel(
                    "Time of an evaluation",
                    "From a request's headers to the end of its answer: half, 95 % and 99 % of them took no longer.",
                    _quantiles(_EVAL),
                    "s",
                    limit=1,
                    alerts=("AosSlowBurnsFast",),
                ),
            ],
        ),
        Row(
            "The engine",
            [
                Panel(
                    "Plans that were not computed",
                    "Answers 503: too many plans waited, one took over 25 s, or its process was killed.",
                    {
                        "{{code}}": f"sum by (code) (increase(nova_http_failures_total{{"
                        f'code=~"overloaded|not_computed",{_OURS}}}[$__rate_interval]))'
                    },
                    alerts=("AosEngineOverloaded",),
                ),
                Panel(
                    "Processes killed",
                    "Processes that were killed, for memory or by somebody, while they computed a plan.",
                    {
                        "{{instance}}": f"increase(nova_engine_processes_lost_total{{{_OURS}}}[$__rate_interval])"
                    },
                    alerts=("AosEngineOverloaded",),
                ),
            ],
        ),
    ],
)
