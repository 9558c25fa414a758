"""The words everything else speaks: symbols, trades, bars and how one becomes the other. Pure: no I/O, no clock."""
