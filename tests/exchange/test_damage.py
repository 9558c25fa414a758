import pytest

from quantui.exchange.damage import BREAKING, DAMAGES
from quantui.exchange.frames import frame

AGG_TRADE = '{"e":"aggTrade","E":5,"s":"BTCUSDT","a":1,"p":"61800.50","q":"0.5","f":1,"l":1,"T":4,"m":true}'
KLINE = (
    '{"e":"kline","E":5,"s":"BTCUSDT","k":{"t":0,"T":999,"s":"BTCUSDT","i":"1s","f":1,"L":2,"o":"61800.00","c":"61800.50",'
    '"h":"61801.00","l":"61799.00","v":"1.5","n":2,"x":true,"q":"92700.0","V":"1.0","Q":"61800.0"}}'
)


@pytest.mark.parametrize("kind", [*DAMAGES, *BREAKING])
@pytest.mark.parametrize("text", [AGG_TRADE, KLINE])
def test_every_kind_damages_trades_and_klines(kind: str, text: str) -> None:
    assert {**DAMAGES, **BREAKING}[kind](text) != frame(text.encode())
