"""The command line: one file per command, exit codes as docs/cli.md lists them."""
