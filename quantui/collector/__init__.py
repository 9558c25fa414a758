"""The process that owns feed, bars, statistics, alerts and store; the screen only looks at it through a socket."""
