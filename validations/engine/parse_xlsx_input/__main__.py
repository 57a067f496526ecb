"""A program of its own: prints the cells of a hostile .xlsx as JSON lines, within limits of memory and time.

Run as `python -I parse_xlsx_input LIMITS < FILE`, the limits in JSON as `raw_cells_input.Limits` has them. The first line
names the sheets or the reason for refusing; each further line is one row that holds something. The program knows nothing
of what a workbook should say, imports nothing of the house but what lies in its folder, and trusts no dimension and no
order of a file. What may not be in an archive is `archive_parts`' affair, what stands in cells that of `sheet_cells`.

openpyxl is not used here: read-only it drops rows behind a false dimension or out of order, and otherwise it
holds hundreds of megabytes (both measured).
"""

from __future__ import annotations

import json
import os
import resource
import sys
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import ParseError
from xml.parsers import expat

from archive_parts import (
    MEGABYTE,
    Refusal,
    check_archive,
    check_form,
    counts_from_1904,
    date_styles,
    find_sheets,
)
from defusedxml import DefusedXmlException, DTDForbidden
from sheet_cells import Book, read_rows, shared_strings

MEMORY_LIMIT = 1536 * MEGABYTE
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")


def main(arguments: list[str]) -> int:
    """Print the workbook's cells; a refusal is a line too, so exit code 0 says that the end was reached."""
    limits = json.loads(arguments[0])
    for limit, value in (
        (resource.RLIMIT_AS, MEMORY_LIMIT),
        (resource.RLIMIT_CPU, limits["cpu_seconds"]),
        (
            resource.RLIMIT_FSIZE,
            64 * MEGABYTE,
        ),  # it writes to a pipe; only the coverage of our tests to a file
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (value, value))
    written = 0
    try:
        for line in read_cells(limits):
            text = json.dumps(line, ensure_ascii=True)
            written += len(text) + 1
            if written > limits["content_megabytes"] * MEGABYTE:
                raise Refusal("too_big", limit=limits["content_megabytes"])
            sys.stdout.write(text + "\n")
    except Refusal as refusal:
        _say(refusal)
    except DTDForbidden:
        _say(Refusal("doctype"))
    except MemoryError:
        _say(Refusal("too_heavy"))
    except (
        DefusedXmlException,
        ParseError,
        expat.ExpatError,
        zipfile.BadZipFile,
        zlib.error,
        ValueError,
        LookupError,
        OSError,
        NotImplementedError,  # zipfile: a compression that it does not know
        RuntimeError,
    ) as error:
        _say(Refusal("damaged", reason=f"{type(error).__name__}: {error}"))
    sys.stdout.flush()
    return 0


def _say(refusal: Refusal) -> None:
    sys.stdout.write(json.dumps({"refused": refusal.code, "values": refusal.values}) + "\n")


def read_cells(limits: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The sheets' names, then each row that holds something; a cell is [column, kind, text].

    With `dates` a number in a date format is of kind d, its text still the serial; `is_1904` says from when it counts.
    """
    with open(0, "rb", closefd=False) as file:
        try:
            head = file.read(8)
        except OSError as error:
            raise Refusal("unreadable", reason=error.strerror) from None
        if head == _OLE:
            body = file.read(4 * MEGABYTE)
            file.seek(max(0, file.seek(0, os.SEEK_END) - 4 * MEGABYTE))
            body += file.read()  # the directory of a compound document stands near one of its ends
            is_encrypted = "EncryptedPackage".encode("utf-16-le") in body
            raise Refusal("encrypted" if is_encrypted else "old_format")
        if head[:4] != b"PK\x03\x04":
            raise Refusal("not_xlsx")
        file.seek(0)
        with zipfile.ZipFile(file) as archive:
            check_archive(archive, limits["unpacked_megabytes"])
            if limits["is_form"]:
                check_form(archive)
            sheets = list(find_sheets(archive))
            yield {
                "sheets": [[name, state] for name, state, _ in sheets],
                "is_1904": limits["dates"] and counts_from_1904(archive),
            }
            book = Book(shared_strings(archive), date_styles(archive) if limits["dates"] else frozenset())
            for number, (name, _, part) in enumerate(sheets):
                if limits["only_sheet"] not in (None, name):
                    continue
                for row, cells in read_rows(archive, part, name, book, limits["rows"], limits["columns"]):
                    yield {"sheet": number, "row": row, "cells": cells}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
