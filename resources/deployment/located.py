"""Deployment files with their line numbers: YAML and CSV as plain values, and the line each value stands on.

Every scalar of the YAML stays text (`0099` is a code, not a number; `no` is not False); the models give
types. Mistakes of the notation are collected, not raised, so that all files are read before anything is
reported.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from pipelines.errors import BadInput

Loc = tuple[str | int, ...]


@dataclass
class Located:
    """The values of one file, their lines, and what is wrong with its notation."""

    path: Path
    data: object = None
    lines: dict[Loc, int] = field(default_factory=dict[Loc, int])
    problems: list[BadInput] = field(default_factory=list[BadInput])
    placeholders: set[int] = field(default_factory=set[int])

    def line(self, loc: Loc) -> int:
        """The line of a place, or of the nearest place above it."""
        while loc not in self.lines and loc:
            loc = loc[:-1]
        return self.lines.get(loc, 1)

    def problem(self, code: str, loc: Loc = (), /, **values: object) -> None:
        """Note a mistake at a place; its text may name {file}, {line} and {place}."""
        if self.line(loc) in self.placeholders and loc:
            return  # what else is wrong with a placeholder helps nobody
        place = ".".join(str(part) for part in loc) or self.path.name
        self.problems.append(
            BadInput(code, file=self.path, line=self.line(loc), place=place, details=(), **values)
        )

    def note_placeholder(self, text: str, line: int) -> None:
        """Note a `<…>` of the template that nobody has filled in."""
        if re.fullmatch(r"<[^<>]+>", text):
            self.placeholders.add(line)
            self.problems.append(BadInput("deployment.placeholder", file=self.path, line=line, text=text))

    def mapping(self, loc: Loc = ()) -> dict[str, object]:
        """The mapping at the file's top (`loc` empty); a file that holds something else is a mistake."""
        if isinstance(self.data, dict):
            return {str(key): value for key, value in self.data.items()}
        if self.data is not None and not self.problems:
            self.problem("deployment.not_a_mapping", loc)
        return {}


def _text(located: Located) -> str | None:
    try:
        raw = located.path.read_bytes()
    except FileNotFoundError:
        located.problem("deployment.file_missing")
        return None
    except OSError as error:
        located.problem("deployment.file_unreadable", reason=error.strerror or type(error).__name__)
        return None
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        located.problem("deployment.not_utf8", encoding="UTF-16")
        return None
    if raw.startswith(b"\xef\xbb\xbf"):
        located.problem("deployment.byte_order_mark")
        raw = raw[3:]
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        located.lines[()] = raw.count(b"\n", 0, error.start) + 1
        try:
            raw.decode("gb18030")
            guess = "GBK/GB18030"
        except UnicodeDecodeError:
            guess = "?"
        located.problem("deployment.not_utf8", encoding=guess)
        return None


def read_yaml(path: Path) -> Located:
    """Read one YAML file; an empty or comment-only one gives None as data."""
    located = Located(path)
    source = _text(located)
    if source is None:
        return located
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(source, yaml.SafeLoader)):
            located.problem("deployment.alias")  # every value has one place, and so one line
            return located
        root = yaml.compose(source, yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        located.lines[()] = mark.line + 1 if mark else 1
        located.problem("deployment.not_yaml", reason=error.problem or error.context or "")
        return located
    except yaml.YAMLError as error:
        located.problem("deployment.not_yaml", reason=str(error).splitlines()[0])
        return located
    if root is not None:
        located.data = _walk(root, (), located)
    return located


def _walk(node: yaml.Node, loc: Loc, located: Located) -> object:
    located.lines.setdefault(loc, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        values: dict[str, object] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            inner = (*loc, key)
            if key in values:
                located.lines[inner] = key_node.start_mark.line + 1
                located.problem("deployment.duplicate_key", inner, key=key)
                continue
            located.lines[inner] = key_node.start_mark.line + 1
            values[key] = _walk(value_node, inner, located)
        return values
    if isinstance(node, yaml.SequenceNode):
        return [_walk(item, (*loc, index), located) for index, item in enumerate(node.value)]
    if node.tag == "tag:yaml.org,2002:null":
        return None
    located.note_placeholder(str(node.value), node.start_mark.line + 1)
    return str(node.value)


def read_csv(path: Path, columns: tuple[str, ...]) -> Located:
    """Read a CSV with exactly these columns; data is a list of {column: text}, empty text as None."""
    located = Located(path)
    source = _text(located)
    if source is None:
        return located
    reader = csv.reader(io.StringIO(source, newline=""), strict=True)
    rows: list[dict[str, str | None]] = []
    located.data = rows
    try:
        header = tuple(next(reader, []))
        if header != columns:
            located.problem("deployment.csv_header", expected=",".join(columns), found=",".join(header))
            return located
        for cells in reader:
            if not cells:
                continue
            located.lines[(len(rows),)] = reader.line_num
            if len(cells) != len(columns):
                located.lines[()] = reader.line_num
                located.problem("deployment.csv_cells", expected=len(columns), found=len(cells))
                located.lines.pop(())
                located.lines.pop((len(rows),))
                continue
            for cell in cells:
                located.note_placeholder(cell, reader.line_num)
            rows.append({column: cell.strip() or None for column, cell in zip(columns, cells, strict=True)})
    except csv.Error as error:
        located.lines[()] = reader.line_num
        located.problem("deployment.not_csv", reason=str(error))
    return located
