"""Branch workbooks (.xlsx): problem data goes out, answers come back as hostile input.

Here: how a workbook is laid out, written with fixed bytes, and read again. Not here: which findings go
out, what an answer does to the content, the ledger.
"""

from __future__ import annotations

from pipelines.stages.workbooks.answer_cells import judge_given
from pipelines.stages.workbooks.branch_workbook import write_branch_workbook
from pipelines.stages.workbooks.identity_seal import read_identity
from pipelines.stages.workbooks.model import (
    HANDLING_WORDS,
    Answer,
    Answers,
    GivenAnswer,
    Handling,
    MistakenLine,
    Problem,
    WorkbookIdentity,
)
from pipelines.stages.workbooks.problem_list import write_problem_list
from pipelines.stages.workbooks.read_answers import read_answers
from pipelines.stages.workbooks.split_problems import split_problems

__all__ = [
    "HANDLING_WORDS",
    "Answer",
    "Answers",
    "GivenAnswer",
    "Handling",
    "MistakenLine",
    "Problem",
    "WorkbookIdentity",
    "judge_given",
    "read_answers",
    "read_identity",
    "split_problems",
    "write_branch_workbook",
    "write_problem_list",
]
