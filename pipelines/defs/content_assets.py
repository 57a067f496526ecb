"""From the source to the compared content, as assets: each materialises by running its stage on one filing."""

# Dagster reads the annotations of steps when they are defined, so they are not postponed here.

from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg

from pipelines.defs.checks import group_results, group_specs
from pipelines.defs.metadata import bar_plot, findings_by_rule, preview, sums_by_field
from pipelines.defs.partitions import filings_of
from pipelines.defs.resources import InstallationResource, run_stage
from pipelines.defs.stage_assets import OWNERS, key, round_keys, stage_asset
from pipelines.ledger.filing import FilingState
from pipelines.stages.compare import compare, read_comparison
from pipelines.stages.extract import extract
from pipelines.stages.installation import Installation
from pipelines.stages.review import review
from pipelines.stages.table_changes import TableChanges
from pipelines.stages.validate import validate
from validations.engine import Standard


def round_asset(standard: Standard) -> dg.AssetsDefinition:
    """All tables of a round in one step: one snapshot, never a part of it."""
    tables = [t for t in standard.tables.values() if t.derive is None]
    specs = [
        dg.AssetSpec(
            key(standard, "round", table.name),
            description=f"{table.title.zh}：从核心系统按同一快照提取的一轮数据，行数与金额已与数据源核对。",
            group_name=standard.name,
            owners=OWNERS,
            kinds={"parquet", "sql"},
            skippable=True,
        )
        for table in tables
    ]

    @dg.multi_asset(
        name=f"{standard.name}_extract_round", specs=specs, partitions_def=filings_of(standard.name)
    )
    def extract_round(
        context: dg.AssetExecutionContext, installation: InstallationResource
    ) -> Iterator[dg.MaterializeResult[Any]]:
        def stage(opened: Installation, filing: str) -> tuple[FilingState, dict[str, Any]]:
            state = extract(opened, filing)
            folder = opened.rounds.path(filing, state.round)
            facts = state.rounds[-1].fact.tables
            return state, {n: preview(standard.table(n), folder / f"{n}.parquet") for n in facts}

        state, previews = run_stage(context, installation, stage)
        recorded = state.rounds[-1].fact
        for table in tables:
            if table.name in recorded.tables:
                facts = recorded.tables[table.name]
                yield dg.MaterializeResult(
                    asset_key=key(standard, "round", table.name),
                    metadata={
                        "dagster/row_count": facts.rows,
                        "提取轮次": recorded.round,
                        "快照时间": recorded.snapshot_at.isoformat(),
                        "数据源": recorded.source,
                        "内容摘要": facts.digest,
                        **sums_by_field(table, facts.sums),
                        "预览": previews[table.name],
                    },
                    data_version=dg.DataVersion(facts.digest),
                )
            elif state.tables:  # an output that is left out would have everything after it skipped
                yield dg.MaterializeResult(
                    asset_key=key(standard, "round", table.name),
                    metadata={"说明": "报送需求未要求此表，没有提取。"},
                )

    return extract_round


def content_asset(standard: Standard) -> dg.AssetsDefinition:
    """The content, judged by every rule; one check per rule group."""
    content = key(standard, "content")

    @stage_asset(
        standard,
        "content",
        after=round_keys(standard),
        kinds={"duckdb", "pandera"},
        description="报送内容：一轮数据、报表更正、处理方式与规范版本合为一体；全部规则在其上运行，签报与报送都针对它的摘要。",
        checks=group_specs(standard, content),
    )
    def judge_content(
        context: dg.AssetExecutionContext, installation: InstallationResource
    ) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
        state = run_stage(context, installation, validate)
        assert state.content is not None, "validate records a content"
        judged = state.content.fact
        found = {rule: n for rule, n in judged.counts.items() if n}
        yield dg.MaterializeResult(
            asset_key=content,
            metadata={
                "dagster/row_count": judged.rows,
                "提取轮次": judged.round,
                "内容摘要": judged.content,
                "规范版本": judged.standard_version,
                "阻断": judged.block,
                "需签报说明": judged.explain,
                "提示": judged.note,
                "报表更正": judged.overlays,
                "问题数据（按规则）": findings_by_rule(standard, judged.counts),
                **bar_plot(f"问题数据图（按规则），第 {judged.round} 轮", found, "条"),
            },
            data_version=dg.DataVersion(judged.content),
        )
        yield from group_results(standard, content, state)

    return judge_content


def review_asset(standard: Standard) -> dg.AssetsDefinition:
    """Workbooks for the branches and the problem-data list."""

    @stage_asset(
        standard,
        "review",
        after=[key(standard, "content")],
        kinds={"excel"},
        description="业务审核：问题数据清单供稽核部门初审；不需初审的，随即由责任部门向每个机构下发工作簿。",
    )
    def send_workbooks(
        context: dg.AssetExecutionContext, installation: InstallationResource
    ) -> dg.MaterializeResult[Any]:
        state = run_stage(context, installation, review)
        documents = state.listings[-1].fact.documents
        sent = [w for d in state.dispatches if d.seq > state.listings[-1].seq for w in d.fact.workbooks]
        held: dict[str, int] = {}
        for each in state.held:
            held[each.organisation] = held.get(each.organisation, 0) + each.count
        rows = [
            f"| {w.department} | {w.organisation} | {w.file} | {w.problems:,} | {w.sha256[:12]} |"
            for w in sent
        ]
        heading = ["| 部门 | 机构 | 文件 | 问题数 | 摘要 |", "| --- | --- | --- | ---: | --- |"]
        return dg.MaterializeResult(
            metadata={
                "文件": "；".join(documents),
                "待初审": state.holds("first_review"),
                "待下发": state.holds("issue"),
                "待答复": state.holds("answer"),
                "工作簿": dg.MetadataValue.md(
                    "\n".join([*heading, *rows])
                    if rows
                    else "待初审后由责任部门下发，或没有需要答复的问题数据。"
                ),
                **bar_plot("待处理问题图（按机构）", held, "条"),
            }
        )

    return send_workbooks


def comparison_asset(standard: Standard) -> dg.AssetsDefinition:
    """What changed since the round before; nothing for the first."""

    @stage_asset(
        standard,
        "comparison",
        after=[key(standard, "content")],
        kinds={"duckdb"},
        description="比对：本轮与上一轮按主键比较，列出新增、删除、变化的行，已解决、仍存在、新出现的问题，以及没有兑现的源头修正。",
        may_be_skipped=True,
    )
    def compare_rounds(
        context: dg.AssetExecutionContext, installation: InstallationResource
    ) -> Iterator[dg.MaterializeResult[Any]]:
        def stage(
            opened: Installation, filing: str
        ) -> tuple[FilingState, list[TableChanges], dict[str, int]]:
            if opened.state(filing).round < 2:
                return opened.state(filing), [], {}
            state = compare(opened, filing)
            details = read_comparison(opened, state)
            tables = [TableChanges(**each) for each in details["tables"]]
            return state, tables, details["unexplained"]

        state, tables, unexplained = run_stage(context, installation, stage)
        if not state.comparisons or state.comparisons[-1].fact.later != state.round:
            context.log.info("第一轮，没有可比对的上一轮。")
            return
        fact = state.comparisons[-1].fact
        heading = [
            "| 表 | 新增 | 删除 | 变化 | 没有依据 | 变化字段 |",
            "| --- | ---: | ---: | ---: | ---: | --- |",
        ]
        rows = [
            f"| {d.table} {standard.table(d.table).title.zh} | {d.added:,} | {d.removed:,} | {d.changed:,} | "
            f"{unexplained.get(d.table, 0):,} | {'，'.join(f'{name} {n:,}' for name, n in d.fields.items())} |"
            for d in tables
        ]
        yield dg.MaterializeResult(
            metadata={
                "轮次": f"{fact.earlier} → {fact.later}",
                "已解决": fact.resolved,
                "仍存在": fact.remaining,
                "新出现": fact.appeared,
                "未兑现的源头修正": fact.missing_fixes,
                "没有依据的变化": fact.unexplained,
                "逐表": dg.MetadataValue.md("\n".join([*heading, *rows])),
                **bar_plot(f"变化图（按表），第 {fact.earlier} → {fact.later} 轮", _changes(tables), "处"),
            }
        )

    return compare_rounds


def _changes(tables: Sequence[TableChanges]) -> dict[str, int]:
    """How many rows of each table came, went or changed; tables that stayed as they were are left out."""
    counted = {each.table: each.added + each.removed + each.changed for each in tables}
    return {table: count for table, count in counted.items() if count}
