"""`aos requests create`."""

from typing import Any

from typer import BadParameter

from aos.api.running.ledgers import ledger_path
from aos.api.running.runs import show as read
from aos.api.server.approvals import exit_of, look, waited
from aos.api.server.session import session
from aos.cli.answer import Answer
from aos.cli.options import Inputs, Ledger, PlanArgument, PlanOption, one_plan
from aos.cli.requests.making import Agent, AtLeast, Escalates, Expires, Justification, Resume, Uses, Webhook
from aos.cli.requests.options import Tenant, Timeout, Wait
from aos.cli.requests.showing import shown
from aos.cli.server import Context, Server
from aos.cli.values import named_values
from aos.errors import Exit
from aos.files.sources import read_document


def create(
    why: Justification,
    plan: PlanArgument = None,
    plan_option: PlanOption = None,
    inputs: Inputs = None,
    resume: Resume = None,
    expires: Expires = None,
    escalate_after: Escalates = None,
    level: AtLeast = None,
    uses: Uses = None,
    webhook: Webhook = None,
    agent: Agent = None,
    tenant: Tenant = None,
    ledger: Ledger = None,
    wait: Wait = False,
    timeout: Timeout = None,
    server: Server = None,
    context: Context = None,
) -> Answer:
    """Ask for an approval to run a plan. The server simulates it, and its rules say who has to approve.

    With --resume it is the plan of a run that has left its approval; `aos run --resume RUN --approval ID` then goes on.

    The exit status is 8 while nobody has decided, 0 where the policy approves it by itself. With --wait it is that of
    the decision: 0 approved, 3 rejected, expired or cancelled, 124 where the time is up.
    """
    if resume is None:
        source: Any = read_document(one_plan(plan, plan_option), code="invalid_plan").value
    else:
        if plan is not None or plan_option is not None or inputs:
            raise BadParameter("a run has its plan and inputs already", param_hint="--resume")
        source = read(ledger_path(ledger), resume).state.start.plan
    asked = session(server, context)
    with asked.client as client:
        made = client.request_approval(
            "capability",
            plan=source,
            justification=why,
            inputs=named_values(inputs or []) or None,
            agent_id=agent,
            tenant_id=tenant,
            expires_in_seconds=expires,
            escalate_after_seconds=escalate_after,
            required_level=level,
            uses=uses,
            webhook_url=webhook,
        )
        status: Exit = exit_of(made["status"])
        if wait and status is Exit.PENDING:
            _, status = waited(client, made["request_id"], timeout)
        return shown(client, look(client, made["request_id"]), asked.url, status)
