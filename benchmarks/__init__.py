"""Speed and memory, each beside a peer: every script prints a table and, with `--json FILE`, keeps it."""
