import aos
from aos.domain.forecasts.differences import Change
from aos.domain.forecasts.verifications import Drift, Verification
from aos.report.forecast.verification import verification

NOTHING = Verification((), (), True, aos.__version__)
CATALOG = Drift("catalog", "sha256:" + "1a" * 32, "sha256:" + "2b" * 32, "its figures, but not its contract")
SUCCESS = Change("replace", "/chances/success/value", 0.95, 0.96)


def shown(found: Verification, width: int = 80) -> str:
    return verification(found, width, colour=False)


def test_a_match_is_one_line() -> None:
    assert shown(NOTHING) == "MATCH  every figure comes out as it was saved\n"


def test_a_drift_names_the_inputs_and_then_the_figures() -> None:
    lines = shown(NOTHING._replace(drifts=(CATALOG,), figures=(SUCCESS,))).splitlines()
    assert lines[0] == "DRIFT  changed since: catalog"
    assert "catalog   1a1a1a1a → 2b2b2b2b" in lines
    assert lines[-1] == "figures   /chances/success/value  0.95 → 0.96"


def test_figures_without_a_cause_are_said_to_have_none() -> None:
    text = shown(NOTHING._replace(figures=(SUCCESS,) * 30))
    assert text.startswith("DRIFT  the same inputs give other figures than were saved\n")
    assert "… and 18 more" in text


def test_inputs_that_moved_without_moving_figures() -> None:
    text = shown(NOTHING._replace(drifts=(CATALOG,)))
    assert "figures   come out as they were saved all the same" in text


def test_another_version_is_told() -> None:
    text = shown(NOTHING._replace(computed_by="0.0.1"))
    assert text.splitlines()[-1] == f"basis     computed by aos 0.0.1, again by {aos.__version__}"


def test_what_a_result_holds_can_not_move_the_cursor() -> None:
    hostile = Change("replace", "/x\x1b[2J", "\x1b[H" + "long " * 100, None)
    text = shown(NOTHING._replace(figures=(hostile,), computed_by="\x1b"), 40)
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 40
