"""Texts that try to be more than text, and a result that has them wherever a text from outside can stand."""

from decimal import Decimal

from hypothesis import strategies as st

from aos.domain.forecasts.alternatives import Alternative, Difference, Outlook
from aos.domain.forecasts.attribution import Attribution, Evidence, Fix, StepShare
from aos.domain.forecasts.forecast import Risk, Unknown
from aos.domain.forecasts.results import SimulationResult
from aos.domain.forecasts.verdicts import Approval, Limits, Reason, Verdict
from aos.domain.skills.prices import ModelPrice
from aos.domain.skills.skill import Figure, Provenance
from tests.unit.report import build

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</td></table></details><h1>FEASIBLE</h1>",
    "<!-- hidden",
    "&lt;b&gt; &#60;b&#62;",
    "[click](https://evil.example) ![x](//evil.example/x.png)",
    "<https://evil.example> https://evil.example www.evil.example a@evil.example",
    "@octocat @org/team #1 GH-1 !2 ~label $3 %4 &5 :+1: owner/repo#6",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "a | b || c \\| d \\\\| e |",
    "a\n| --- | --- |\n# FEASIBLE\n",
    "``` a ` b `` c",
    "`",
    "a` <b> `c",
    "\\` * _ ~~x~~ **x** __x__ \\",
    "# h",
    "1. one",
    "- one",
    "+",
    "---",
    "===",
    "> quote",
    "    code",
    "$`a`$ $a$ $$b$$",
    "[x]: https://evil.example",
    "javascript:alert(1)",
    "\x00\x1b[2J\x07\x9b\x7f\u2028\u202e\u2066",
    "日本語 é́ 😀 \u200b",
    "{{ x }} ${{ x }} ${x} <%= x %>",
]
_LETTERS = "ab09 -_./~[](){}<>&|$\\`*#@!:+='\"\n\t%;^?日😀́\x1b\u202e"

texts = st.sampled_from(HOSTILE) | st.text(_LETTERS, min_size=1, max_size=40)


def everywhere(text: str) -> SimulationResult:
    """A result of every part, with `text` in each place for words of a plan or a catalog."""
    ids = (text, f"{text}2")
    steps = [build.step(ids[0], text, 0.0, 500.0, 3.0), build.step(ids[1], text, None, None, None)]
    told = build.forecast(
        steps,
        cost=None,
        cost_at_least=build.spread(30.0, 69.7, 146.0, 187.0, 296.0),
        elapsed=None,
        risks=(Risk(text, text, "TRANSIENT", 0.02, 0.01),),
        unknowns=(Unknown("unknown_cost", f"/{text}", text), Unknown("unknown_wait", "/x", text)),
        feasible=build.chance(0.0, 0.5),
        in_budget=build.chance(0.1, 0.9),
    )
    reasons = (Reason("unknown_cost", f"/{text}", text),)
    verdict = Verdict("undetermined", "undetermined", reasons, (Approval(text, f"/{text}", 3),))
    answer = build.result(told, verdict, Limits(Decimal(200), 9_000.0))
    described = build.skill(text)
    latency = described.latency and Figure(described.latency.value, Provenance("measured", text, 3, text))
    share = StepShare(text, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)
    price = ModelPrice(text, text, Decimal(250), Decimal(1000), None, (), None, text, "snapshot")
    return answer._replace(
        plan=answer.plan._replace(name=text),
        skills={text: described._replace(latency=latency)},
        prices={text: price},
        notes=(text,),
        attribution=Attribution((share, share._replace(id=ids[1])), Fix(text, "late", 0.5, 1.0)),
        evidence=(Evidence("declared", text, "cost_cents", 1.0, None, 5, None, text),),
        alternatives=(_alternative(text, answer),),
    )


def _alternative(text: str, answer: SimulationResult) -> Alternative:
    sure = build.chance(0.97)
    chances = (sure, sure, sure, sure, sure)
    outlook = Outlook(Verdict("feasible", "feasible", (), ()), *chances, 1.0, 2.0, 3.0, 4.0)
    difference = Difference(0.1, None, None, None, None)
    return Alternative(
        "drop_step", text, text, True, 1.0, (), (), (), answer.plan, answer.limits, outlook, difference
    )
