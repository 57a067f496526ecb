"""The defects file: which kinds of defect to inject, how many, in which branches, in which part of the book.

```yaml
signed_from: 2026-01-01        # optional, for all entries: the policy was signed from … to …
signed_to: 2026-03-31
defects:
  - {kind: B01, count: 3, organisations: ["440000"]}   # organisations in turn; without them: every branch
```
A bare list of entries is read too. Every mistake is reported at once, with its line. What a kind does is in
`defect_kinds`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import yaml

from pipelines.errors import BadInput
from resources.reference_core.catalogue import FIRST_DAY, LAST_DAY


@dataclass(frozen=True)
class DefectRequest:
    """`count` defects of one kind, spread over `organisations` in turn, on policies signed in the window."""

    kind: str
    count: int
    organisations: tuple[str, ...]
    signed_from: date
    signed_to: date
    line: int


def read_defects(
    path: Path, *, kinds: Collection[str], branches: Collection[str]
) -> tuple[DefectRequest, ...]:
    """Read and check a defects file; raises BadInput with all its mistakes."""
    if not path.is_file():
        raise BadInput("core.not_found", path=path)
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise BadInput("defects.not_yaml", path=path, reason=error) from error
    reader = _Reader(path, kinds, branches)
    requests = reader.read(root)
    if reader.problems:
        raise BadInput("defects.mistakes", details=reader.problems, path=path, count=len(reader.problems))
    return requests


class _Reader:
    def __init__(self, path: Path, kinds: Collection[str], branches: Collection[str]) -> None:
        self.path = path
        self.kinds = kinds
        self.branches = branches
        self.problems: list[BadInput] = []

    def read(self, root: yaml.Node | None) -> tuple[DefectRequest, ...]:
        window = {"signed_from": FIRST_DAY, "signed_to": LAST_DAY}
        entries: yaml.Node | None = root
        if isinstance(root, yaml.MappingNode):
            entries = None
            for name, node in self._items(root, ("signed_from", "signed_to", "defects")):
                if name == "defects":
                    entries = node
                else:
                    window[name] = self._day(node) or window[name]
        if not isinstance(entries, yaml.SequenceNode):
            self._wrong(entries or root, "defects: [{kind, count}, …]")
            return ()
        return tuple(self._entry(node, window) for node in entries.value)

    def _entry(self, node: yaml.Node, window: dict[str, date]) -> DefectRequest:
        kind, count, organisations, own = "", 0, tuple(sorted(self.branches)), dict(window)
        if not isinstance(node, yaml.MappingNode):
            self._wrong(node, "{kind, count}")
            return DefectRequest(kind, count, organisations, FIRST_DAY, LAST_DAY, node.start_mark.line + 1)
        for name, value in self._items(node, ("kind", "count", "organisations", "signed_from", "signed_to")):
            text = str(value.value)
            if name == "kind":
                kind = text
            elif name == "count":
                count = int(text) if isinstance(value, yaml.ScalarNode) and text.isdigit() else 0
            elif name == "organisations":
                organisations = self._organisations(value)
            else:
                own[name] = self._day(value) or own[name]
        if kind not in self.kinds:
            self._wrong(node, f"kind ∈ {', '.join(sorted(self.kinds))}")
        if count < 1:
            self._wrong(node, "count ≥ 1")
        if own["signed_from"] > own["signed_to"]:
            self._wrong(node, "signed_from ≤ signed_to")
        return DefectRequest(
            kind, count, organisations, own["signed_from"], own["signed_to"], node.start_mark.line + 1
        )

    def _organisations(self, node: yaml.Node) -> tuple[str, ...]:
        codes = tuple(str(item.value) for item in node.value) if isinstance(node, yaml.SequenceNode) else ()
        if not codes or any(code not in self.branches for code in codes):
            self._wrong(node, f"organisations ⊆ {', '.join(sorted(self.branches))}")
        return codes

    def _day(self, node: yaml.Node) -> date | None:
        try:
            return date.fromisoformat(str(node.value))
        except ValueError:
            self._wrong(node, "YYYY-MM-DD")
            return None

    def _items(self, node: yaml.MappingNode, known: tuple[str, ...]) -> list[tuple[str, yaml.Node]]:
        items = [(str(key.value), value) for key, value in node.value]
        if any(name not in known for name, _ in items):
            self._wrong(node, f"{{{', '.join(known)}}}")
        return [(name, value) for name, value in items if name in known]

    def _wrong(self, node: yaml.Node | None, expected: str) -> None:
        line = node.start_mark.line + 1 if node is not None else 1
        self.problems.append(BadInput("defects.line", path=self.path, line=line, expected=expected))
