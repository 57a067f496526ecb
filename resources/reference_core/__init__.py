"""The reference core: a simulated property insurer's core system, as a file that Baosong reads like any other source.

Everything in it is invented and drawn from a seed. The generator, its defects with their answer key, and the loader of
the real Schedule P filings live here; extracting from a core (`sql/`, `resources.sources`) does not.
"""

from resources.reference_core.answer_key import Defect, repair, repairs_path
from resources.reference_core.catalogue import OrganisationSeed
from resources.reference_core.defect_kinds import kinds
from resources.reference_core.generate import CoreSummary, generate
from resources.reference_core.schedule_p import load_schedule_p

__all__ = [
    "CoreSummary",
    "Defect",
    "OrganisationSeed",
    "generate",
    "kinds",
    "load_schedule_p",
    "repair",
    "repairs_path",
]
