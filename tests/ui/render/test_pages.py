"""Each page at the sizes and with the signs a terminal may have."""

import pytest
from msgspec.structs import replace

from quantui.collector.pages import CorrelationPage, PairPage, ScanPage, StatisticsPage, SymbolRow
from quantui.ui.render import numbers
from quantui.ui.render.glyphs import GLYPHS
from quantui.ui.render.lines import cells, joined
from quantui.ui.render.pages import heatmap, pair, scanner, statistics
from quantui.ui.render.pages.kinds import KINDS
from quantui.ui.render.pages.sheet import Room, Sheet, View
from tests.ui.fakes import pages, scan_page

BRAILLE = GLYPHS["braille"]


def texts(sheet: Sheet) -> list[str]:
    return [joined(line).rstrip() for line in (*sheet.head, *sheet.body)]


def scan(view: View = View(), page: ScanPage | None = None, width: int = 80) -> Sheet:  # noqa: B008
    return scanner.sheet(page or scan_page(), view, Room(width, 23), BRAILLE)


@pytest.mark.parametrize("name", list(KINDS))
@pytest.mark.parametrize("width", [60, 80, 120, 200])
@pytest.mark.parametrize("glyphs", list(GLYPHS))
def test_a_page_fits_its_width_and_its_signs(name: str, width: int, glyphs: str) -> None:
    sheet = KINDS[name].draw(pages()[name], View(), Room(width, 23), GLYPHS[glyphs])
    for line in (*sheet.head, *sheet.body):
        text = joined(line)
        assert cells(text) <= width or name == "scan", text
        assert glyphs != "ascii" or text.isascii(), text
    assert not sheet.rows or len(sheet.rows) == len(sheet.body)


def test_the_scanner_says_what_chance_alone_would_give() -> None:
    narrow, wide = texts(scan()), texts(scan(width=120))
    assert "30 tests  p<=.05: 18 (chance 1.5)  q<=.05: 4" in narrow
    assert "30 tests: 18 with p <= .05, of which chance alone gives 1.5; 4 discoveries at q <= .05" in wide
    assert narrow[0] == "Scanner  1m W240  bar 00:00:00 UTC  6 symbols  numpy 41 ms"
    assert "left out: TRXUSDT (87/240 bars)" in narrow


def test_the_scanner_sorts_by_each_column_both_ways_and_leaves_the_unknown_last() -> None:
    half_life = next(place for place in range(12) if "t1/2▲" in texts(scan(View(sort=place)))[3])
    for is_reversed in (False, True):
        rows = scan(View(sort=half_life, is_reversed=is_reversed)).rows
        assert rows[-1] == "BTCUSDT/ADAUSDT"
        assert rows[0] == ("ADAUSDT/LINKUSDT" if is_reversed else "BTCUSDT/ETHUSDT")
    assert list(scan(View(sort=1)).rows) == sorted(scan().rows)
    assert list(scan(View(is_reversed=True)).rows) == list(scan().rows)[::-1]


def test_the_scanner_filters_and_says_how_many_are_left() -> None:
    shown = scan(View(filter="abs(z)>2 and y=BTC*"))
    assert set(shown.rows) == {"BTCUSDT/ETHUSDT", "BTCUSDT/SOLUSDT", "BTCUSDT/BNBUSDT", "BTCUSDT/LINKUSDT", "BTCUSDT/ADAUSDT"}
    assert "/abs(z)>2 and y=BTC*  5 of 30 rows" in texts(shown)
    assert "  no pair passes the filter" in texts(scan(View(filter="q<0")))
    assert len(scan(View(filter="z>3", cursor=29)).rows) == 1


def test_a_wrong_filter_shows_every_row_and_the_mistake() -> None:
    shown = scan(View(filter="zz>3"))
    assert len(shown.rows) == 30
    assert any(line.startswith("/zz>3  there is no column 'zz'") for line in texts(shown))


def test_a_scan_that_is_not_there_yet_says_why() -> None:
    empty = scan(page=ScanPage("1m", 240, note="1/2 symbols have 240 bars of 1m"))
    assert "1/2 symbols have 240 bars of 1m" in texts(empty)
    assert empty.body == []
    assert empty.rows == []


def test_the_heatmap_scrolls_sideways_to_its_last_column_and_no_further() -> None:
    page = pages()["correlation"]
    assert "BCH" in texts(heatmap.sheet(page, View(), Room(80, 23), BRAILLE))[3]
    far = heatmap.sheet(page, View(left=99), Room(80, 23), BRAILLE)
    assert far.most_left == 2
    assert texts(far)[3].split()[-1] == "NEAR"
    assert texts(far)[4].split()[:3] == ["BTC", "92", "83"]
    assert heatmap.sheet(page, View(), Room(200, 23), BRAILLE).most_left == 0


def test_a_symbol_that_does_not_move_has_no_correlation_rather_than_0() -> None:
    row = next(
        line for line in texts(heatmap.sheet(pages()["correlation"], View(), Room(120, 23), BRAILLE)) if line.startswith("DOGE")
    )
    assert row.split() == ["DOGE", "--"]


def test_a_correlation_is_two_digits_that_are_never_of_the_wrong_sign() -> None:
    page = CorrelationPage("1m", 60, 0, ("AUSDT", "BUSDT"), ((1.0, -0.996), (-0.996, 1.0)))
    assert texts(heatmap.sheet(page, View(), Room(80, 23), BRAILLE))[2].split() == ["A", "--", "-100"]
    assert "waiting" in texts(heatmap.sheet(CorrelationPage("1m", 60, note="waiting"), View(), Room(80, 23), BRAILLE))[1]


def test_the_statistics_reach_their_last_column_and_name_what_is_short() -> None:
    page = pages()["statistics"]
    seen: set[str] = set()
    first = statistics.sheet(page, View(), Room(80, 23), BRAILLE)
    for left in range(first.most_left + 1):
        seen |= set(texts(statistics.sheet(page, View(left=left), Room(80, 23), BRAILLE))[2].split())
    assert {"last", "change", "mean", "median", "std", "min", "max", "skew", "kurt", "vol/y", "CV", "funding"} <= seen
    assert any("NEAR" in line and "87/240 bars" in line for line in texts(first))
    assert statistics.sheet(page, View(), Room(200, 23), BRAILLE).most_left == 0
    unknown = StatisticsPage("1m", 60, 0, (SymbolRow("AUSDT", 60, last=1.0),))
    assert "-" in texts(statistics.sheet(unknown, View(), Room(200, 23), BRAILLE))[2]


def test_the_pair_says_each_test_its_verdict_and_what_is_missing() -> None:
    page = pages()["pair"]
    said = texts(pair.sheet(page, View(), Room(80, 23), BRAILLE))
    assert "Signal: SHORT the spread" in said
    assert "× correlation      fails     0.610 against a limit of 0.7" in said
    assert "○ liquidity        off       - against a limit of 1.00M" in said
    assert "Engle-Granger      stat -4.02  p .007  lags 1" in said
    assert "  Not said: that it lasts, nor that it survives a search over many pairs." in said
    assert "half-life          bars 14  95% from 9.1  to no end  corrected -" in said
    assert "KPSS               the spread does not vary" in said
    assert not any(line.startswith("from ranges") for line in said), "a part the report does not have is left out"
    assert any("p of Engle-Granger" in line for line in said)
    assert any("residuals against" in line for line in said)


def test_a_pair_without_a_full_window_has_its_gates_and_n_of_n() -> None:
    page = replace(pages()["pair"], n=87, numbers={}, verdicts={}, beta=(), beta_error=(), eg_p=(), residuals=())
    said = texts(pair.sheet(page, View(), Room(80, 23), BRAILLE))
    assert "87/240 bars: what needs a full window comes with it" in said
    assert not any("Engle-Granger" in line for line in said)
    waiting = PairPage("AUSDT/BUSDT", "1m", 240, note="computing")
    assert texts(pair.sheet(waiting, View(), Room(80, 23), BRAILLE))[-1] == "computing"


def test_a_beta_without_error_is_drawn_without_a_band() -> None:
    page = replace(pages()["pair"], beta_error=(None,) * 160)
    assert any(line.startswith("beta at the last 142 bars:") for line in texts(pair.sheet(page, View(), Room(80, 23), BRAILLE)))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (0.0, "0"),
        (999.4, "999"),
        (999.6, "1.00k"),
        (18_240.0, "18.2k"),
        (3.4e8, "340M"),
        (1.238e9, "1.24B"),
        (999_600_000.0, "1.00B"),
    ],
)
def test_large_amounts_take_five_cells(value: float | None, text: str) -> None:
    assert numbers.compact(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(None, "-"), (0.0, "0.0%"), (0.0004, "<0.1%"), (0.042, "4.2%"), (0.35, "35%"), (-0.62, "-62.0%")]
)
def test_shares_are_percent(value: float | None, text: str) -> None:
    assert numbers.percent(value) == text


def test_a_wide_terminal_shows_the_pair_in_two_columns_with_everything_in_them() -> None:
    page = pages()["pair"]
    narrow, wide = (texts(pair.sheet(page, View(), Room(width, 23), BRAILLE)) for width in (98, 200))
    assert len(wide) < len(narrow) - 20
    words = [line for line in narrow[1:] if line and "⠀" not in line and not set(line) & set(BRAILLE.chars[1:])]
    assert [line for line in words if not any(line in each for each in wide)] == []
