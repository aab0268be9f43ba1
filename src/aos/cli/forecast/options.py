"""What the commands that forecast take."""

from typing import Annotated

from typer import Option

from aos.cli.forecast.status import fail_on_words
from aos.cli.values import milliseconds, seed_number, share

Deadline = Annotated[
    float | None, Option(parser=milliseconds, metavar="TIME", help="By when: 30s, 5m, or milliseconds.")
]
Confidence = Annotated[
    float | None,
    Option(parser=share, metavar="SHARE", help="How sure the limits are to be kept; 0.9 unless said."),
]
MinSuccess = Annotated[
    float | None, Option(parser=share, metavar="SHARE", help="How likely success is to be; 0.5 unless said.")
]
Samples = Annotated[int | None, Option(metavar="N", help="Runs to simulate at first; 10000 unless said.")]
Seed = Annotated[
    int | None, Option(parser=seed_number, metavar="N", help="Where chance starts; 0 unless said.")
]
FailOn = Annotated[
    frozenset[str] | None,
    Option(parser=fail_on_words, metavar="WHAT", help="Verdicts with an exit status other than 0."),
]
Alternatives = Annotated[
    bool | None,
    Option(
        "--alternatives/--no-alternatives",
        show_default=False,
        help="Whether to look for changes that help; where it is not feasible unless said.",
    ),
]
Apply = Annotated[
    int | None,
    Option(
        "--apply",
        metavar="N",
        help="Print the plan with alternative N, and with the limits it has there as its budget and deadline.",
    ),
]
Many = Annotated[
    bool, Option("--many", help="Plans from standard input, a line each; an answer for each, a line of JSON.")
]
Summary = Annotated[bool, Option("--summary", help="With --many: nothing about single steps.")]
