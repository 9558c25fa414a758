"""Pairs put on the watch list by a key, beside those of the configuration; kept, so that a restart finds them."""

from collections.abc import Collection, Sequence

from quantui.market.instruments import Pair, Symbol


def named(text: str, symbols: Collection[Symbol]) -> Pair:
    """The pair called `text` (Y/X) whose legs are both among the symbols that are streamed.

    Raises:
        ValueError: one line that says what to do.
    """
    reasons: list[str] = []
    for venue in dict.fromkeys(symbol.venue for symbol in symbols):
        pair = Pair.parse(text, venue)
        unknown = [leg.name for leg in (pair.y, pair.x) if leg not in symbols]
        if not unknown:
            return pair
        reasons.append(f"{' and '.join(unknown)} not streamed: add to [market] symbols in the configuration")
    raise ValueError(min(reasons, key=len, default="no symbol is streamed yet"))


def added(kept: Sequence[str] | None, configured: Sequence[Pair], symbols: Collection[Symbol]) -> tuple[Pair, ...]:
    """The pairs added before, as far as their legs are still streamed and the configuration has not taken them up."""
    pairs: dict[Pair, None] = {}
    for text in kept or ():
        try:
            pairs[named(text, symbols)] = None
        except ValueError:
            continue  # a leg was taken out of the configuration
    return tuple(pair for pair in pairs if pair not in configured)
