"""The command line: one file per command, exit codes as DESIGN lists them are stable."""
