"""The screen: pulls snapshots and draws them."""
