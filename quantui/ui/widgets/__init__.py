"""The panels of the monitor, one a file; all of them draw lines that `ui/render` made."""
