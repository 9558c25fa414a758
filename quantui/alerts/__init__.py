"""Statistics to alerts: rules, their memory, and the channels that carry them to people."""
