"""From the package to the evidence, as assets: each materialises by running its stage on one filing."""

# Dagster reads the annotations of steps when they are defined, so they are not postponed here.

from typing import Any

import dagster as dg

from pipelines.defs.metadata import document
from pipelines.defs.resources import InstallationResource, run_stage
from pipelines.defs.stage_assets import key, stage_asset
from pipelines.ledger.filing import FilingState
from pipelines.stages.acknowledge import fetch_receipt
from pipelines.stages.archive import archive, evidence_path
from pipelines.stages.deliver import deliver
from pipelines.stages.installation import Installation
from pipelines.stages.package import package, package_folder
from validations.engine import Standard


def package_asset(standard: Standard) -> dg.AssetsDefinition:
    """The files exactly as they will be sent."""

    @stage_asset(
        standard,
        "package",
        after=[key(standard, "content")],
        kinds={"file"},
        description="报文包：由签报同意的内容生成，写完即读回核对；没有对这份内容的有效同意，环节本身拒绝。",
    )
    def make_package(
        context: dg.AssetExecutionContext, installation: InstallationResource
    ) -> dg.MaterializeResult[Any]:
        def stage(opened: Installation, filing: str) -> tuple[FilingState, str]:
            state = package(opened, filing)
            return state, str(package_folder(opened, state))

        state, folder = run_stage(context, installation, stage)
        assert state.package is not None, "package records a package"
        built = state.package.fact
        files = [f"| {name} | {digest} |" for name, digest in built.files.items()]
        return dg.MaterializeResult(
            metadata={
                "报文包摘要": built.package,
                "版本": built.version,
                "文件夹": dg.MetadataValue.path(folder),
                "文件": dg.MetadataValue.md("\n".join(["| 文件 | SHA-256 |", "| --- | --- |", *files])),
            },
            data_version=dg.DataVersion(built.package),
        )

    return make_package


def delivery_asset(standard: Standard) -> dg.AssetsDefinition:
    """The package on the other side, read back."""

    @stage_asset(
        standard,
        "delivery",
        after=[key(standard, "package")],
        kinds={"network"},
        description="传送：先在台账预留，再传送，再读回核对；中断后先问对方，不盲目重发。",
    )
    def deliver_package(
        context: dg.AssetExecutionContext, installation: InstallationResource
    ) -> dg.MaterializeResult[Any]:
        state = run_stage(context, installation, deliver)
        assert state.sent is not None, "deliver records what it sent"
        sent = state.sent.fact
        return dg.MaterializeResult(
            metadata={
                "渠道": sent.channel,
                "对方文件": sent.remote,
                "受理号或摘要": sent.reference,
                "核对方式": sent.verified_by,
            }
        )

    return deliver_package


def receipt_asset(standard: Standard) -> dg.AssetsDefinition:
    """The regulator's answer."""

    @stage_asset(
        standard,
        "receipt",
        after=[key(standard, "delivery")],
        kinds={"network"},
        description="回执：监管机构对所送字节的答复；稽核数据由分公司移交后登记。",
    )
    def receive_receipt(
        context: dg.AssetExecutionContext, installation: InstallationResource
    ) -> dg.MaterializeResult[Any]:
        state = run_stage(context, installation, fetch_receipt)
        assert state.receipt is not None, "a receipt was recorded"
        answer = state.receipt.fact
        return dg.MaterializeResult(
            metadata={
                "回执号": answer.number,
                "结果": "接收" if answer.result == "accepted" else "退回",
                "出具方": answer.issuer,
                "错误数": answer.errors,
                "原文": document(answer.text),
            }
        )

    return receive_receipt


def evidence_asset(standard: Standard) -> dg.AssetsDefinition:
    """The archive that proves all of the above."""

    @stage_asset(
        standard,
        "evidence",
        after=[key(standard, "receipt")],
        kinds={"zip"},
        description="档案：数据、规则、意见、报文、回执与台账事件合为一个签名文件，可用 baosong verify 离线验证。",
    )
    def archive_evidence(
        context: dg.AssetExecutionContext, installation: InstallationResource
    ) -> dg.MaterializeResult[Any]:
        def stage(opened: Installation, filing: str) -> tuple[FilingState, str]:
            state = archive(opened, filing)
            return state, str(evidence_path(opened, state))

        state, path = run_stage(context, installation, stage)
        assert state.evidence is not None, "archive records its file"
        return dg.MaterializeResult(
            metadata={
                "档案": dg.MetadataValue.path(path),
                "SHA-256": state.evidence.fact.evidence,
                "验证": dg.MetadataValue.md(f"`baosong verify {path}`"),
            }
        )

    return archive_evidence
