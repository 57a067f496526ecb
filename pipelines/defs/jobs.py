"""The jobs of one standard: what runs between two acts of people.

People's checks are in no job but the one they open: a job runs all checks of its assets, and "not approved yet" is no failure.
"""

from __future__ import annotations

from typing import Any, Literal

import dagster as dg

from pipelines.defs.people_checks import people_check_keys
from pipelines.defs.stage_assets import key, round_keys
from resources.deployment import Route
from validations.engine import Standard

Job = Literal["extract", "validate", "release", "acknowledge"]
AssetJob = Any
"""What `define_asset_job` returns; dagster does not export its type."""


def flow_jobs(standard: Standard, route: Route) -> dict[Job, AssetJob]:
    """extract → (people) → validate → (people) → release → (regulator) → acknowledge."""
    approval = dg.AssetSelection.checks(*people_check_keys(key(standard, "content"), route))

    def assets(*names: str) -> dg.AssetSelection:
        return dg.AssetSelection.assets(*(key(standard, name) for name in names))

    judged = assets("content", "review", "comparison")
    selections: dict[Job, tuple[dg.AssetSelection, str]] = {
        "extract": (
            (dg.AssetSelection.assets(*round_keys(standard)) | judged) - approval,
            "提取一轮数据、校验、下发问题数据、与上一轮比对",
        ),
        "validate": (judged - approval, "答复到齐而无需重新提取时：按新的报送内容重新校验"),
        "release": (approval | assets("package", "delivery"), "签报有结论后：同意则打包并传送，不同意只显示"),
        "acknowledge": (assets("receipt", "evidence"), "取回执并归档"),
    }
    return {
        name: dg.define_asset_job(
            f"{standard.name}_{name}",
            selection=selection,
            description=f"{standard.title.zh}：{description}",
        )
        for name, (selection, description) in selections.items()
    }
