"""What the screens beside the monitor show: a document of the collector to lines of text, pure."""
