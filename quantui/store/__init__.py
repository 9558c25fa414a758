"""What quantui keeps: one SQLite file, one writer."""
