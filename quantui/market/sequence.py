"""In order, once, nothing missing: the aggregate trade id decides (binance.md A6)."""

from dataclasses import dataclass, field

from quantui.market.rescaling import Factors
from quantui.market.trades import Trade

PENDING_LIMIT = 200_000
"""Trades held back while a hole is filled; beyond it the newest are dropped, counted, and become part of the hole."""


@dataclass(slots=True)
class Sequencer:
    """Lets the trades of one symbol through in order of id, each once, and names what is missing."""

    next_id: int | None = None
    """The id expected next; None: whatever comes first."""
    duplicates: int = 0
    dropped: int = 0
    _pending: dict[int, Trade | None] = field(default_factory=dict)
    """Ids beyond a hole; None stands for a rejected record, which still uses up its id."""

    @property
    def is_waiting(self) -> bool:
        """Trades are held back."""
        return bool(self._pending)

    @property
    def hole(self) -> tuple[int, int] | None:
        """First missing id and the id after the last missing one."""
        if not self._pending or self.next_id is None:
            return None
        return self.next_id, min(self._pending)

    def start_at(self, next_id: int) -> None:
        """Expect `next_id`; what is held with a lower id is dropped as a duplicate."""
        self.next_id = next_id
        for trade_id in [held for held in self._pending if held < next_id]:
            del self._pending[trade_id]
            self.duplicates += 1

    def restart_at(self, next_id: int) -> None:
        """Forget everything: the exchange counts anew."""
        self._pending.clear()
        self.next_id = next_id

    def admit(self, trade: Trade) -> bool:
        """True when the trade is the next one; else it is a duplicate (dropped) or waits behind a hole."""
        if trade.id == self.next_id:
            self.next_id += 1
            if self._pending and self._pending.pop(trade.id, self) is not self:
                self.duplicates += 1  # read back although it was waiting behind the hole
            return True
        return self._out_of_order(trade.id, trade)

    def skip_rejected(self, trade_id: int) -> None:
        """A record that was refused (a placeholder, a bad price) has used up its id."""
        if trade_id == self.next_id or self.next_id is None:
            self.next_id = trade_id + 1
        else:
            self._out_of_order(trade_id, None)

    def _out_of_order(self, trade_id: int, trade: Trade | None) -> bool:
        if self.next_id is None:
            self.next_id = trade_id + 1
            return True
        if trade_id < self.next_id or trade_id in self._pending:
            self.duplicates += 1
        elif len(self._pending) < PENDING_LIMIT:
            self._pending[trade_id] = trade
        else:
            self.dropped += 1
        return False

    def release(self) -> list[Trade]:
        """The held trades that are next now, in order."""
        out: list[Trade] = []
        while self._pending and self.next_id in self._pending:
            trade = self._pending.pop(self.next_id)
            self.next_id += 1
            if trade is not None:
                out.append(trade)
        return out

    def rescale(self, factors: Factors) -> None:
        """Count what is held in finer decimals."""
        for trade_id, trade in self._pending.items():
            self._pending[trade_id] = trade and factors.trade(trade)

    def skip_hole(self) -> tuple[int, int] | None:
        """Give the hole up: continue behind it. Returns what was lost."""
        hole = self.hole
        if hole is not None:
            self.next_id = hole[1]
        return hole
