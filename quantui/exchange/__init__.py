"""An exchange that speaks Binance's protocol on loopback: what demo and tests talk to. Shares no code with it."""
