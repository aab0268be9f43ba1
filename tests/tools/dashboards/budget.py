"""The dashboard "M5 Budget and Cost": what was forecast, what was spent, and what nobody can price."""

from tests.tools.dashboards.panels import Board, Panel, Row

_OURS = 'instance=~"$instance"'
_CENTS = "suffix:c"

BUDGET = Board(
    "aos-m5-budget",
    "M5 Budget and Cost",
    "What was forecast, what runs have cost as they were recorded, and what nobody can price. Of which tenant or agent "
    "it was, the API says.",
    [
        Row(
            "Money",
            [
                Panel(
                    "Spent",
                    "Cents that runs have cost which were recorded within the time shown. Attempts of no known price "
                    "are not in it.",
                    {"spent": f"sum(increase(nova_run_cost_cents_total{{{_OURS}}}[$__range]))"},
                    _CENTS,
                    "number",
                ),
                Panel(
                    "Forecast of what was allowed",
                    "What the allowed calls and plans would cost in 95 of 100 runs, added up over the time shown: a "
                    "ceiling, and not all of it is run.",
                    {
                        "forecast": "sum(increase(nova_policy_forecast_cents_total"
                        f'{{decision="allow",{_OURS}}}[$__range]))'
                    },
                    _CENTS,
                    "number",
                ),
                Panel(
                    "Attempts of no known price",
                    "Attempts of recorded runs whose cost nobody knows. It is in no sum; a budget then asks people.",
                    {"unpriced": f"sum(increase(nova_run_unpriced_attempts_total{{{_OURS}}}[$__range]))"},
                    kind="number",
                ),
                Panel(
                    "Decisions without a price",
                    "Share of the decisions about what nobody can price.",
                    {
                        "unknown": f"sum(increase(nova_policy_forecast_unknown_total{{{_OURS}}}[$__range])) / "
                        f"sum(increase(nova_policy_decisions_total{{{_OURS}}}[$__range]))"
                    },
                    "percentunit",
                    "number",
                ),
                Panel(
                    "Forecast and spent",
                    "Cents an hour. More spent than allowed: runs that nobody asked about, or prices that are off.",
                    {
                        "allowed (95 %)": "3600 * sum(rate(nova_policy_forecast_cents_total"
                        f'{{decision="allow",{_OURS}}}[1h]))',
                        "needs approval (95 %)": "3600 * sum(rate(nova_policy_forecast_cents_total"
                        f'{{decision="requires_approval",{_OURS}}}[1h]))',
                        "spent": f"3600 * sum(rate(nova_run_cost_cents_total{{{_OURS}}}[1h]))",
                    },
                    _CENTS,
                ),
                Panel(
                    "Forecast of what was denied",
                    "Cents an hour that were not spent, as far as anybody can price them.",
                    {
                        "denied (95 %)": "3600 * sum(rate(nova_policy_forecast_cents_total"
                        f'{{decision="deny",{_OURS}}}[1h]))'
                    },
                    _CENTS,
                ),
            ],
        ),
        Row(
            "Runs",
            [
                Panel(
                    "Records of runs",
                    "Kept within an hour, by the run's status. One that is recorded while it goes on counts each time.",
                    {"{{status}}": f"sum by (status) (increase(nova_runs_recorded_total{{{_OURS}}}[1h]))"},
                ),
                Panel(
                    "Plans that a budget does not allow",
                    "Simulations within an hour whose plan would not keep to what is left of the budget, or may not.",
                    {
                        "{{status}}": "sum by (status) (increase(nova_simulations_total"
                        f'{{status=~"budget_insufficient|undetermined",{_OURS}}}[1h]))'
                    },
                ),
            ],
        ),
    ],
)
