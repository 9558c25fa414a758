"""Binance: spot, USD-M futures and binance.us, by their public streams and REST."""
