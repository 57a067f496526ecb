"""The register of all kinds of defect, by the id of the rule of circ_audit that must find them.

A kind is built so that no other rule finds it too: rows that a change would reach are avoided, and amounts that must agree
elsewhere are changed alike. Rules that judge an extraction rather than a core have no kind: A04, A09, A10; nor have P01 and
P02, whose cause is another finding as long as the whole company's ledger stands beside its branches'.
"""

from __future__ import annotations

from resources.reference_core import (
    claim_defects,
    identity_defects,
    ledger_defects,
    policy_defects,
    premium_defects,
    reinsurance_defects,
)
from resources.reference_core.injection import Kind


def kinds() -> dict[str, Kind]:
    return {
        **identity_defects.kinds(),
        **policy_defects.kinds(),
        **premium_defects.kinds(),
        **claim_defects.kinds(),
        **reinsurance_defects.kinds(),
        **ledger_defects.kinds(),
    }
