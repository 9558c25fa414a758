"""Where trades come from: the live exchange, and recordings. Both drive `market.stream.SymbolStream` and nothing else."""
