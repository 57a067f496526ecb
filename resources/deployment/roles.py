"""The roles the product knows, with their names (zh, en). Who holds them stands in the deployment."""

from __future__ import annotations

SIGNERS = frozenset({"audit_reviewer", "business_reviewer", "finance", "actuarial", "it", "executive", "president"})  # fmt: skip
"""Roles that may give opinions."""
ROLES: dict[str, tuple[str, str]] = {
    "requester": ("需求提出人", "Requester"),
    "data_engineer": ("数据工程师", "Data engineer"),
    "audit_reviewer": ("稽核审核人", "Audit reviewer"),
    "business_reviewer": ("业务审核人", "Business reviewer"),
    "branch_preparer": ("分公司填报人", "Branch preparer"),
    "branch_it": ("分公司信息技术岗", "Branch IT post"),
    "branch_it_manager": ("分公司信息技术管理岗", "Branch IT management"),
    "finance": ("财务审核人", "Finance reviewer"),
    "actuarial": ("精算审核人", "Actuarial reviewer"),
    "it": ("信息技术审核人", "IT reviewer"),
    "executive": ("分管领导", "Executive in charge"),
    "president": ("总经理", "President"),
    "auditor": ("检查人员（只读）", "Auditor (read only)"),
    "administrator": ("系统管理员", "Administrator"),
}
