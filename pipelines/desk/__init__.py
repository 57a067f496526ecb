"""The review desk (审核台): the web application of requesters, reviewers, branches and approvers.

Pages show what the ledger knows and hand what people decide to the stages; nothing is decided here. Dagster is not known here.
"""
