"""The flow, one module per stage in the order data goes; plain functions over an `Installation`, no Dagster.

request → extract → validate → review → correct → compare → sign_off → package → deliver → acknowledge → archive.
Each function reads the ledger, does one thing, and appends one event; run again it finds its event and does nothing.
"""
