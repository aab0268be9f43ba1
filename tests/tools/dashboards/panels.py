"""What a panel of a dashboard is, in a few words; how Grafana writes it is left to its own library."""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, TypeAlias, TypeVar

from grafana_foundation_sdk.builders import dashboard as grafana
from grafana_foundation_sdk.builders import prometheus, stat, table, timeseries
from grafana_foundation_sdk.builders.common import ReduceDataOptions, VizLegendOptions
from grafana_foundation_sdk.models.common import LegendDisplayMode, LegendPlacement, TimeZoneBrowser
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    DataSourceRef,
    Threshold,
    ThresholdsMode,
    VariableOption,
    VariableRefresh,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

__all__ = ["Board", "Panel", "Row", "built"]

RUNBOOK = "https://runbooks.example/alerts.md"
_SOURCE = DataSourceRef("prometheus", "${source}")
_WIDTH = {"lines": 12, "number": 6, "table": 24}
_HEIGHT = {"lines": 8, "number": 5, "table": 8}
_AnyPanel: TypeAlias = stat.Panel | table.Panel | timeseries.Panel
_P = TypeVar("_P", stat.Panel, table.Panel, timeseries.Panel)


class Panel(NamedTuple):
    """`queries` by legend. `limit` is where it is too much, or with `below` too little; `alerts` are those about it."""

    title: str
    about: str
    queries: Mapping[str, str]
    unit: str = "short"
    kind: Literal["lines", "number", "table"] = "lines"
    limit: float | None = None
    below: bool = False
    alerts: Sequence[str] = ()


class Row(NamedTuple):
    """Panels that are about one thing."""

    title: str
    panels: Sequence[Panel]


class Board(NamedTuple):
    """A dashboard. `uid` is its address and the name of its file."""

    uid: str
    title: str
    about: str
    rows: Sequence[Row]


def built(board: Board) -> grafana.Dashboard:
    """As Grafana's library knows it."""
    made = (
        grafana.Dashboard(board.title)
        .uid(board.uid)
        .description(board.about)
        .tags(["aos"])
        .refresh("30s")
        .time("now-6h", "now")
        .timezone(TimeZoneBrowser)
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .editable()
        .with_variable(grafana.DatasourceVariable("source").label("Prometheus").type("prometheus"))
        .with_variable(
            grafana.QueryVariable("instance")
            .label("Server or worker")
            .datasource(_SOURCE)
            .query('label_values(up{job=~"aos-(server|worker)"}, instance)')
            .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
            .multi(True)
            .include_all(True)
            .all_value(".+")
            .current(VariableOption(text="All", value="$__all", selected=True))
        )
        .link(grafana.DashboardLink("Runbook").type(DashboardLinkType.LINK).url(RUNBOOK).target_blank(True))
        .link(grafana.DashboardLink("aos").type(DashboardLinkType.DASHBOARDS).tags(["aos"]).keep_time(True))
    )
    number = 0
    for row in board.rows:
        made.with_row(grafana.Row(row.title).id(number := number + 1))
        for panel in row.panels:
            made.with_panel(_panel(panel, number := number + 1))
    return made


def _panel(panel: Panel, number: int) -> _AnyPanel:
    match panel.kind:
        case "lines":
            return _filled(_lines(), panel, number)
        case "number":
            calculated = ReduceDataOptions().calcs(["lastNotNull"])
            return _filled(stat.Panel().reduce_options(calculated), panel, number)
        case "table":
            return _filled(table.Panel(), panel, number)


def _filled(made: _P, panel: Panel, number: int) -> _P:
    made.id(number).title(panel.title).description(panel.about).datasource(_SOURCE)
    made.unit(panel.unit).no_value("no data").thresholds(_thresholds(panel))
    made.links([_runbook(alert) for alert in panel.alerts])
    made.span(_WIDTH[panel.kind]).height(_HEIGHT[panel.kind])
    for letter, (legend, query) in zip("ABCDEFGH", panel.queries.items(), strict=False):
        target = prometheus.Dataquery().ref_id(letter).expr(query).legend_format(legend)
        if panel.kind != "lines":
            target.instant()
        if panel.kind == "table":
            target.format(PromQueryFormat.TABLE)
        made.with_target(target)
    return made


def _lines() -> timeseries.Panel:
    legend = VizLegendOptions().display_mode(LegendDisplayMode.LIST).placement(LegendPlacement.BOTTOM)
    return timeseries.Panel().legend(legend).fill_opacity(8).span_nulls(False)


def _thresholds(panel: Panel) -> grafana.ThresholdsConfig:
    before, after = ("red", "green") if panel.below else ("green", "red")
    steps = [Threshold(None, before if panel.limit is not None else "green")]
    if panel.limit is not None:
        steps.append(Threshold(panel.limit, after))
    return grafana.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)


def _runbook(alert: str) -> grafana.DashboardLink:
    link = grafana.DashboardLink(f"What to do: {alert}").type(DashboardLinkType.LINK)
    return link.url(f"{RUNBOOK}#{alert.lower()}").target_blank(True)
