"""The documents of a filing: what people read before they decide, and what is attached to the sign-off.

Listed with a content's findings: 问题数据清单, 数据说明, 报送数据关键指标. Attached to the sign-off: 问题修改意见, 最终确认方案,
问题数据处理方式 and, where the route has that review, 审核流程合规审查. Workbooks where people work on them, pages where they
read. The same content and acts give the same bytes.
"""

from __future__ import annotations

from pipelines.stages.filing_documents.listed import write_listed_documents
from pipelines.stages.filing_documents.signed import write_signed_documents

__all__ = ["write_listed_documents", "write_signed_documents"]
