"""What stands between Textual and the terminal: sends the cells that differ, never makes the loop wait."""
