"""The files exactly as sent: delimited text with control files, statistics XML, and reading them back.

Here: bytes of a package from the tables of one content, and the inspection of what was written. Not here: approval,
the ledger, delivery, the regulator's rules over the content.
"""

from __future__ import annotations

from pipelines.stages.formats.inspect_package import inspect_package
from pipelines.stages.formats.model import PackageContext, PackageFinding, PackedFile
from pipelines.stages.formats.package_digest import package_digest, sent_file
from pipelines.stages.formats.write_package import write_package

__all__ = [
    "PackageContext",
    "PackageFinding",
    "PackedFile",
    "inspect_package",
    "package_digest",
    "sent_file",
    "write_package",
]
