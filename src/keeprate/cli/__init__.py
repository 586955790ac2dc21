"""The command line: one module per command, each a few lines over a workflow."""
