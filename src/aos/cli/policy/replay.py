"""`aos policy replay`."""

from aos.api.files.sources import load_catalog
from aos.api.policy.histories import of_ledger, of_plans
from aos.api.policy.replay import lines, replayed
from aos.cli.answer import Answer
from aos.cli.forecast.options import Samples, Seed
from aos.cli.options import Catalogs, Ledger, first, refuse
from aos.cli.policy.options import Agent, Tenant, principal
from aos.cli.policy.replaying import (
    Against,
    Candidate,
    FailOn,
    Limit,
    Most,
    Plans,
    RowsFile,
    Since,
    answered,
    since_ms,
)
from aos.cli.server import Elsewhere
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
    server: Elsewhere = None,
    limit: Limit = None,
) -> Answer:
    """What other rules would have said of what happened: of every run in the ledger, or of plan files (--plans).

    Runs are asked about with the forecast that was made before them. What can't be told is undetermined, and never
    counted as allowed. The exit status is 3 where something is newly denied or newly allowed (--fail-on chooses), 5
    where more than a tenth is undetermined or nothing is there, else 0.

    --server asks a server about its requests, evaluations and uploaded runs. CANDIDATE and --against may be versions
    that it has; unless said, against is the one that is active.
    """
    if server is not None:
        here = (ledger, plans, catalogs, agent, tenant, samples, seed, rows)
        refuse(
            (
                any(one is not None for one in here),
                "--server",
                "a server has records and a catalog of its own",
            )
        )
        from aos.api.server.policy_versions import replayed_there

        there = replayed_there(server, candidate, against, since, limit)
        return answered(there, fail_on, max_undetermined)
    refuse((limit is not None, "--limit", "it is for --server"))
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
    return answered(replay_document(found, names), fail_on, max_undetermined)
