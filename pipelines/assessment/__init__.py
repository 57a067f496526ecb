"""考核: the monthly assessment of the IT posts, computed from the ledger and from the files that its events name.

What belongs here: metrics, the lists behind their numbers, how small numbers are treated, what is written down of them. What
does not: any step of a filing (`stages`), Dagster, the command line. A result is a projection and decides nothing.
"""
