"""`aos policy replay`."""

from typing import Any

from aos.api.files.sources import load_catalog
from aos.api.policy.histories import of_ledger, of_plans
from aos.api.policy.replay import FAIL_ON, MOST_UNDETERMINED, lines, replayed, status
from aos.cli.answer import Answer, Look
from aos.cli.forecast.options import Samples, Seed
from aos.cli.options import Catalogs, Ledger, first
from aos.cli.policy.options import Agent, Tenant, principal
from aos.cli.policy.replaying import Against, Candidate, FailOn, Most, Plans, RowsFile, Since, since_ms
from aos.files.config import find_config
from aos.files.outputs import write_file
from aos.wire.results.replays import replay_document


def replay(
    candidate: Candidate,
    against: Against = None,
    ledger: Ledger = None,
    plans: Plans = None,
    since: Since = None,
    catalogs: Catalogs = None,
    agent: Agent = None,
    tenant: Tenant = None,
    samples: Samples = None,
    seed: Seed = None,
    fail_on: FailOn = None,
    max_undetermined: Most = None,
    rows: RowsFile = None,
) -> Answer:
    """What other rules would have said of what happened: of every run in the ledger, or of plan files (--plans).

    Runs are asked about with the forecast that was made before them. What can't be told is undetermined, and never
    counted as allowed. The exit status is 3 where something is newly denied or newly allowed (--fail-on chooses), 5
    where more than a tenth is undetermined or nothing is there, else 0.
    """
    config = find_config()
    catalog, who = load_catalog(catalogs or (), config), principal(tenant, agent)
    drawn = {"samples": first(samples, otherwise=config.samples), "seed": first(seed, otherwise=config.seed)}
    found, names = replayed(
        candidate,
        first(against, config.policy, otherwise=None),
        lambda: [
            *([] if plans and ledger is None else of_ledger(ledger, catalog, who, since_ms(since))),
            *of_plans(plans or (), catalog, who, **drawn),
        ],
    )
    if rows is not None:
        write_file(rows, lines(found.rows), replace=True)
    document: dict[str, Any] = replay_document(found, names)
    end = status(
        document, first(fail_on, otherwise=FAIL_ON), first(max_undetermined, otherwise=MOST_UNDETERMINED)
    )
    document["exit_code"] = int(end)

    def text(look: Look) -> str:
        from aos.report.forecast import replay as report

        return report.replayed(document, *look)

    return Answer(lambda: document, text, end)
