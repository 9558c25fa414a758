"""What a pair says: pure functions on arrays."""
