"""Branch workbooks (.xlsx): problem data goes out, answers come back as hostile input.

Here: how a workbook is laid out, written with fixed bytes, and read again. Not here: which findings go
out, what an answer does to the content, the ledger.
"""

from __future__ import annotations

from pipelines.stages.workbooks.branch_workbook import write_branch_workbook
from pipelines.stages.workbooks.model import Answer, Answers, Handling, Problem, WorkbookIdentity
from pipelines.stages.workbooks.problem_list import write_problem_list
from pipelines.stages.workbooks.read_answers import read_answers

__all__ = [
    "Answer",
    "Answers",
    "Handling",
    "Problem",
    "WorkbookIdentity",
    "read_answers",
    "write_branch_workbook",
    "write_problem_list",
]
