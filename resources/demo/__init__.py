"""The demo insurer: its deployment, the defects of its core, and how a simulated person fills a workbook."""
