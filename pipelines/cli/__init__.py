"""The `baosong` command: one module per noun; every command opens the installation, calls one stage, prints the result."""
