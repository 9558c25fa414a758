import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from quantui.alerts.records import EXIT, LONG_SPREAD, SHORT_SPREAD, cleaned, data_alert, fired, legs, message
from quantui.store import records as stored
from tests.alerts.observations import seen


@pytest.mark.parametrize(
    ("direction", "beta", "sides"),
    [
        (SHORT_SPREAD, 1.5, ("sell", "buy")),
        (LONG_SPREAD, 1.5, ("buy", "sell")),
        (SHORT_SPREAD, -1.5, ("sell", "sell")),
        (LONG_SPREAD, -1.5, ("buy", "buy")),
    ],
)
def test_legs_are_traded_against_the_spread(direction: str, beta: float, sides: tuple[str, str]) -> None:
    y, x = legs(seen(0, 2.0, beta=beta), direction)
    assert (y.symbol, x.symbol) == ("ETHUSDT", "BTCUSDT")
    assert (y.side, x.side) == sides
    assert y.quantity * y.price == pytest.approx(1 / 2.5)
    assert x.quantity * x.price == pytest.approx(1.5 / 2.5)


@given(beta=st.floats(-5, 5), price_y=st.floats(1e-6, 1e6), price_x=st.floats(1e-6, 1e6), space=st.sampled_from(["log", "price"]))
def test_legs_use_one_unit_of_capital(beta: float, price_y: float, price_x: float, space: str) -> None:
    observation = msgspec.convert(
        msgspec.to_builtins(seen(0, 2.0, beta=beta)) | {"price_y": price_y, "price_x": price_x, "space": space}, type(seen(0, 2.0))
    )
    y, x = legs(observation, LONG_SPREAD)
    assert y.quantity * price_y + x.quantity * price_x == pytest.approx(1.0)
    if space == "price":
        assert x.quantity == pytest.approx(abs(beta) * y.quantity)


def test_there_are_no_legs_without_beta_or_prices() -> None:
    known = seen(0, 2.0)
    for missing in (seen(0, 2.0, beta=None), replace(known, price_y=None), replace(known, price_x=0.0)):
        assert legs(missing, SHORT_SPREAD) == ()


def test_a_message_leaves_out_what_is_missing() -> None:
    assert message(replace(seen(0, -2.5), eg_p=None), LONG_SPREAD) == "ETHUSDT/BTCUSDT LONG z -2.50 corr .83"
    assert message(replace(seen(0, 2.5, correlation=-0.07), eg_p=0.0004), SHORT_SPREAD).endswith("corr -.07 p <.001")
    assert message(replace(seen(0, 2.5, correlation=1.0), eg_p=1.0), SHORT_SPREAD).endswith("corr 1.00 p 1.000")


def test_what_is_not_finite_counts_as_missing() -> None:
    observation = replace(seen(0, math.nan), beta=math.inf, price_y=-math.inf)
    clean = cleaned(observation)
    assert (clean.zscore, clean.beta, clean.price_y, clean.price_x) == (None, None, None, 50_000.0)
    assert cleaned(clean) is clean


def test_a_data_alert_is_a_warning_named_by_when_it_began() -> None:
    record = data_alert("stale", "BTCUSDT silent \x1b[2J", now_ms=9, since_ms=4, pair="ETHUSDT/BTCUSDT")
    assert (record.severity, record.rule, record.bar_ms, record.time_ms) == ("warning", "data:stale", 4, 9)
    assert record.message.isprintable()


def test_the_store_takes_a_record_field_by_field() -> None:
    record = fired(seen(0, 2.0), rule="zscore", severity="alert", direction=SHORT_SPREAD)
    kept = msgspec.convert(msgspec.to_builtins(record), stored.AlertRecord)
    assert set(stored.AlertRecord.__struct_fields__) == {*record.__struct_fields__, "id"}
    assert kept.legs[0]["side"] == "sell"
    assert kept.gates["correlation"] == {"ok": True, "value": 0.83, "limit": 0.7}
    assert fired(seen(0, 0.1), rule="zscore", severity="info", direction=EXIT).legs == ()
