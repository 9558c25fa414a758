"""The four cards: the most important line of each first, since a small terminal shows only the first few."""

from typing import TYPE_CHECKING

from quantui.ui.render import numbers
from quantui.ui.render.glyphs import Glyphs
from quantui.ui.render.lines import Line, Role, Span, cells, fit, line, measures
from quantui.ui.render.names import bases

if TYPE_CHECKING:
    from quantui.collector.snapshot import GateView, LegView, Snapshot, StatsView, TestView

NAMES = ("price", "regression", "stationarity", "alerts")

_SHORT = {"regression": "Fit", "stationarity": "Tests"}

_TIGHT = 16
"""Below this many cells the blanks inside a line are left out."""


def title(name: str, width: int) -> str:
    """Heading of the card `name`, for a width in cells inside its border: a short one where the long one would be cut."""
    return _SHORT.get(name, name.capitalize()) if width < _TIGHT else name.capitalize()


def card(name: str, snapshot: "Snapshot", width: int, glyphs: Glyphs) -> list[Line]:
    """Lines of the card `name`, for a width in cells inside its border."""
    if name == "price":
        return _price(snapshot, width, glyphs)
    if name == "regression":
        return _regression(snapshot, width, glyphs)
    if name == "stationarity":
        return _stationarity(snapshot, width, glyphs)
    return _alerts(snapshot, width, glyphs)


def shortage(stats: "StatsView", *names: str) -> str:
    """Why a number is not there: too few bars (`87/240`), or the reason the collector gives."""
    if stats.n < stats.need:
        return f"{stats.n}/{stats.need} bars"
    for name in names:
        if name in stats.missing:
            return stats.missing[name]
    return "-"


def _price(snapshot: "Snapshot", width: int, glyphs: Glyphs) -> list[Line]:
    legs = (snapshot.y, snapshot.x)
    names = bases(snapshot.y.symbol, snapshot.x.symbol)
    column = max(cells(name) for name in names)
    latest = [_latest(leg, name, column, width, glyphs) for leg, name in zip(legs, names, strict=True)]
    moves = [_move(leg, fit(name, column), width) for leg, name in zip(legs, names, strict=True)]
    costs = line("bid-ask " + " / ".join("-" if leg.spread_bps is None else f"{leg.spread_bps:.2f}" for leg in legs) + " bp")
    funding = line("funding " + " / ".join("-" if leg.funding is None else f"{leg.funding * 100:+.4f}%" for leg in legs))
    return [*latest, *moves, costs, funding]


def _latest(leg: "LegView", name: str, column: int, width: int, glyphs: Glyphs) -> Line:
    value = numbers.price(leg.price, leg.decimals)
    room = max(1, width - column - 3)
    text = f"{fit(name, column)} {value.rjust(min(room, 13))}"
    if not leg.change:
        return line(text)
    return line(text, Span(" " + glyphs.up, Role.GOOD) if leg.change > 0 else Span(" " + glyphs.down, Role.BAD))


def _move(leg: "LegView", name: str, width: int) -> Line:
    change, volatility = _change(leg), _percent(leg.volatility)
    text = f"{name} {change} vol {volatility}"
    return line(text if cells(text) <= width else measures(f"{name} {change} vol{volatility}", width))


def _change(leg: "LegView") -> str:
    return "-" if leg.change is None else f"{leg.change * 100:+.2f}%"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value * 100:.0f}%"


def _regression(snapshot: "Snapshot", width: int, glyphs: Glyphs) -> list[Line]:
    stats = snapshot.stats
    if stats.beta is None:
        return [line(Span(shortage(stats, "beta", "alpha"), Role.WARN))]
    gap = "" if width < _TIGHT else " "
    error = f"{gap}{glyphs.plus_minus}{numbers.number(stats.beta_se, 3)}" if stats.beta_se is not None else ""
    corr = "r" if width < _TIGHT else "corr"
    return [
        line(f"{glyphs.beta} {gap}{numbers.number(stats.beta, 3)}{error}"),
        line(f"R{glyphs.squared}{gap}{numbers.number(stats.r_squared, 2)} {corr}{gap}{numbers.number(stats.correlation, 2)}"),
        line(_spread(stats, snapshot.session.space, gap, glyphs)),
        line(f"{glyphs.alpha}  {numbers.signed(stats.alpha, 4)}"),
        line(f"{stats.n} bars {snapshot.session.space}"),
    ]


def _spread(stats: "StatsView", space: str, gap: str, glyphs: Glyphs) -> str:
    std, unit = stats.spread_std, numbers.spread_unit(space)
    sigma = "-" if std is None else numbers.spread(std, std, space, sign=False)
    return f"s{gap}{numbers.spread(stats.spread, std, space)} {glyphs.sigma}{gap}{sigma}{unit}"


def _stationarity(snapshot: "Snapshot", width: int, glyphs: Glyphs) -> list[Line]:
    stats = snapshot.stats
    test, adf = stats.engle_granger, stats.adf
    if test is None and adf is None:
        return [line(Span(shortage(stats, "engle_granger", "adf"), Role.WARN))]
    gap = "" if width < _TIGHT else " "
    lines: list[Line] = []
    if test is None:
        lines.append(line(Span("EG " + shortage(stats, "engle_granger"), Role.WARN)))
    else:
        lines.append(line("EG" + 2 * gap + _test(test, gap), _verdict(snapshot, gap, glyphs)))
    adf_text = shortage(stats, "adf") if adf is None else _test(adf, gap)
    lines += [line(measures("ADF" + gap + adf_text, width)), _half_life(stats, glyphs)]
    if test is not None and adf is not None:
        lines.append(line(f"lags EG {test.lags} ADF {adf.lags}"))
    return lines


def _test(test: "TestView", gap: str) -> str:
    return f"{test.stat:.{2 if gap else 1}f} p{gap}{numbers.probability(test.p_value)}"


def _verdict(snapshot: "Snapshot", gap: str, glyphs: Glyphs) -> Span:
    pairs, index = snapshot.pairs, snapshot.session.pair
    passed = pairs[index].cointegrated if index < len(pairs) else None
    if passed is None:
        return Span("")
    return Span(gap + glyphs.ok, Role.GOOD) if passed else Span(gap + glyphs.failed, Role.BAD)


def _half_life(stats: "StatsView", glyphs: Glyphs) -> Line:
    if stats.half_life is None:
        return line(Span("half-life " + shortage(stats, "half_life"), Role.DIM))
    fine = stats.half_life < 9.95
    low = "?" if stats.half_life_low is None else numbers.bars(stats.half_life_low, fine=fine)
    high = glyphs.infinite if stats.half_life_high is None else numbers.bars(stats.half_life_high, fine=fine)
    return line(f"t1/2 {numbers.bars(stats.half_life, fine=fine)} [{low},{high}]")


def _alerts(snapshot: "Snapshot", width: int, glyphs: Glyphs) -> list[Line]:
    stats, session = snapshot.stats, snapshot.session
    signal = numbers.signal(stats.signal)
    state = Span(signal, Role.BAD) if signal else Span("armed", Role.GOOD)
    lines = [line(state, f" {'' if width < _TIGHT else '|z| '}{glyphs.at_least} {session.entry:.1f}"), _gates(stats, glyphs)]
    last = next((row for row in snapshot.alerts if row.severity == "alert"), None)
    said = "no alert yet" if last is None else f"last {numbers.clock(last.time_ms)[:5]} {last.text}"
    if stats.false_alarms is not None:
        lines.append(line(f"chance {stats.false_alarms:g}/day"))
    lines.append(line(measures(said, width)))
    bound = "" if stats.z_bound is None else f", max {stats.z_bound:.1f}"
    lines.append(line(f"exit |z| <= {session.exit:.1f}{bound}"))
    failing = [gate for gate in stats.gates if gate.enabled and gate.ok is False]
    lines += [line(Span(_gate(gate), Role.WARN)) for gate in failing[1:]]
    return lines


def _gates(stats: "StatsView", glyphs: Glyphs) -> Line:
    enabled = [gate for gate in stats.gates if gate.enabled]
    if not enabled:
        return line("no gates" if stats.gates else "gates: no data yet")
    failing = [gate for gate in enabled if gate.ok is False]
    if failing:
        return line(Span(f"{glyphs.failed} {_gate(failing[0])}", Role.WARN))
    passed = sum(gate.ok is True for gate in enabled)
    return line(f"gates {passed}/{len(enabled)} ok")


def _gate(gate: "GateView") -> str:
    value = "-" if gate.value is None else numbers.number(gate.value, 2)
    return f"{gate.name.replace('_', ' ')} {value} / {gate.limit:g}"
