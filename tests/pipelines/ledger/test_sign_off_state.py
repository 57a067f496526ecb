"""How opinions become a decision, and that early events, which named roles alone, still fold."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pipelines.ledger.recorded import Recorded
from pipelines.ledger.sign_off_events import Opinion, OpinionGiven, Seat, SignOffOpened, SignOffStep
from pipelines.ledger.sign_off_state import (
    Given,
    current_step_of,
    decision_of,
    follows_route,
    has_distinct_people,
    steps_of,
)

AT = datetime(2026, 5, 6, 9, tzinfo=UTC)


def opinion(
    seq: int, step: int, role: str, said: Opinion, *, actor: str | None = None, on_behalf_of: str = ""
) -> Given:
    fact = OpinionGiven(
        number="QB-1",
        content="c",
        step=step,
        role=role,
        opinion=said,
        comment="—",
        on_behalf_of=on_behalf_of,
    )
    return Recorded(seq, actor or f"user-{seq}", AT, "", fact)


def route(*steps: SignOffStep) -> SignOffOpened:
    return SignOffOpened(number="QB-1", content="c", route=(), steps=steps)


def step(quorum: int, *roles: str) -> SignOffStep:
    return SignOffStep(seats=tuple(Seat(role=role) for role in roles), quorum=quorum)


@st.composite
def opinions_on_one_step(draw: st.DrawFn) -> tuple[int, int, list[Opinion]]:
    seats = draw(st.integers(1, 6))
    words = st.sampled_from(("agree", "disagree"))
    said: list[Opinion] = draw(st.lists(words, max_size=seats))
    return seats, draw(st.integers(1, seats)), said


@given(opinions_on_one_step())
def test_a_step_agrees_with_its_quorum_and_rejects_once_that_is_out_of_reach(
    drawn: tuple[int, int, list[Opinion]],
) -> None:
    seats, quorum, said = drawn
    roles = [f"role-{n}" for n in range(seats)]
    given_ = [opinion(n + 1, 0, role, word) for n, (role, word) in enumerate(zip(roles, said, strict=False))]
    (live,) = steps_of(route(step(quorum, *roles)), given_)
    outcomes = [steps_of(route(step(quorum, *roles)), given_[:n])[0].outcome for n in range(len(given_) + 1)]
    decided = next((n for n, outcome in enumerate(outcomes) if outcome), None)
    if decided is None:
        assert said.count("agree") < quorum and said.count("disagree") <= seats - quorum
        assert len(live.open_seats) == seats - len(said)
    else:
        assert live.decision == given_[decided - 1], "the opinion that tipped it, whatever came after"
        assert live.open_seats == ()
        assert outcomes[decided] == said[decided - 1]
    for before, after in pairwise(outcomes):
        assert before is None or after == before, "what is decided stays decided"


def test_steps_have_their_turn_one_after_the_other_and_the_first_that_disagrees_decides() -> None:
    opened = route(step(1, "audit"), step(2, "it", "finance"), step(1, "president"))
    given_ = [opinion(3, 0, "audit", "agree"), opinion(4, 1, "finance", "agree")]
    steps = steps_of(opened, given_)
    current = current_step_of(steps)
    assert current is not None
    assert ([seat.role for seat in current.open_seats], decision_of(steps)) == (["it"], None)
    rejecting = opinion(5, 1, "it", "disagree")
    steps = steps_of(opened, [*given_, rejecting])
    assert (current_step_of(steps), decision_of(steps)) == (None, rejecting)


def test_an_early_sign_off_has_a_step_of_one_seat_for_each_role() -> None:
    early = SignOffOpened.model_validate(
        {"number": "QB-1", "content": "c", "route": ["finance", "executive"]}
    )
    said = OpinionGiven.model_validate(
        {
            "number": "QB-1",
            "content": "c",
            "step": 0,
            "role": "finance",
            "opinion": "agree",
            "comment": "同意",
        }
    )
    first = Recorded(2, "qian", AT, "", said)
    steps = steps_of(early, [first])
    assert [(s.bound.quorum, [seat.role for seat in s.seats]) for s in steps] == [
        (1, ["finance"]),
        (1, ["executive"]),
    ]
    assert (steps[0].outcome, decision_of(steps)) == ("agree", None)
    last = opinion(3, 1, "executive", "agree")
    assert decision_of(steps_of(early, [first, last])) == last


def test_who_signs_out_of_turn_or_at_no_seat_does_not_follow_the_route() -> None:
    opened = route(step(1, "finance"), step(1, "executive"))
    finance, executive = opinion(3, 0, "finance", "agree"), opinion(4, 1, "executive", "agree")
    assert follows_route(steps_of(opened, [finance, executive]), [finance, executive])
    early = opinion(2, 1, "executive", "agree")
    assert not follows_route(steps_of(opened, [early, finance]), [early, finance])
    alone = [opinion(2, 1, "executive", "agree")]
    assert not follows_route(steps_of(opened, alone), alone)
    stranger = [finance, opinion(4, 1, "president", "agree")]
    assert not follows_route(steps_of(opened, stranger), stranger)
    twice = [finance, opinion(4, 0, "finance", "agree"), opinion(5, 1, "executive", "agree")]
    assert not follows_route(steps_of(opened, twice), twice)


def test_nobody_counts_twice_also_not_for_somebody_absent() -> None:
    deputy = opinion(3, 0, "finance", "agree", actor="wu", on_behalf_of="qian")
    assert has_distinct_people(frozenset({"zhao"}), [deputy])
    assert not has_distinct_people(frozenset({"qian"}), [deputy]), "the absent person prepared it"
    assert not has_distinct_people(frozenset({"wu"}), [deputy])
    back = opinion(4, 1, "executive", "agree", actor="qian")
    assert not has_distinct_people(frozenset(), [deputy, back])
