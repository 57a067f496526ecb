"""Servers that stand in for the outside world: the designated SFTP server, the commission, a bureau.

Here live real servers on loopback for the demo, for `make dev` and for tests, started by
`python -m resources.embedded`. Nothing here is used in production and nothing here imports the product: what
the regulator knows of a package it knows from the published layout (docs/interface.md) alone. Clients are in
`resources.channels`.
"""
