"""A request as it is shown: as lines for people, as plain values for programs."""

from __future__ import annotations

from typing import Any

from pipelines.errors import text
from pipelines.ledger.request import RequestState
from pipelines.ledger.request_events import RequestAmended


def summary(request: RequestState) -> dict[str, Any]:
    """What is demanded now, or was put up last."""
    fact = request.latest.fact
    return {
        "number": request.number,
        "key": request.key,
        "stage": request.stage,
        "filing": fact.filing,
        "authority": fact.authority,
        "dated": fact.dated.isoformat() if fact.dated else None,
        "period": f"{fact.date_from}…{fact.date_to}",
        "organisations": list(fact.organisations),
        "tables": list(fact.tables),
        "deadline": fact.deadline.isoformat(),
        "nil_returns": dict(fact.nil_returns),
        "documents": [
            {"name": each.name, "sha256": each.sha256, "bytes": each.bytes} for each in fact.documents
        ],
    }


def history(request: RequestState) -> list[dict[str, Any]]:
    """Everything that happened to it, in order: who, when, what, and why."""
    events: list[tuple[int, dict[str, Any]]] = []
    for demand in request.demands:
        fact, said = demand.fact, {"at": demand.at.isoformat(), "who": demand.actor}
        if isinstance(fact, RequestAmended):
            said |= {"what": "amended", "changed": list(fact.changed), "why": fact.reason}
        else:
            said |= {"what": "raised"}
        events.append((demand.seq, said))
    for review in request.reviews:
        events.append(
            (
                review.seq,
                {
                    "at": review.at.isoformat(),
                    "who": review.actor,
                    "what": review.fact.opinion,
                    "why": review.fact.comment,
                },
            )
        )
    if gone := request.withdrawn:
        events.append(
            (
                gone.seq,
                {"at": gone.at.isoformat(), "who": gone.actor, "what": "withdrawn", "why": gone.fact.reason},
            )
        )
    return [said for _, said in sorted(events, key=lambda each: each[0])]


def shown(request: RequestState) -> str:
    """The summary and the history, a line each."""
    said = summary(request)
    said["stage"] = text(f"cli.request_stage.{request.stage}")
    for name in ("organisations", "tables"):
        said[name] = ", ".join(said[name]) or None
    said["nil_returns"] = "; ".join(f"{table}: {why}" for table, why in said["nil_returns"].items()) or None
    said["documents"] = ", ".join(f"{each['name']} {each['sha256'][:12]}" for each in said["documents"])
    lines = [
        f"{text(f'cli.label.{name}')}: {value if value is not None else '—'}" for name, value in said.items()
    ]
    lines.append(f"{text('cli.label.history')}:")
    for each in history(request):
        changed = f" ({', '.join(each['changed'])})" if each.get("changed") else ""
        why = f": {each['why']}" if each.get("why") else ""
        lines.append(f"  {each['at']} {each['who']} {each['what']}{changed}{why}")
    return "\n".join(lines)
