from contextlib import suppress

import pytest

from quantui.ui.render.pages.filters import LONGEST, FilterError, parse

NAMES, TEXTS = ("q", "p", "z", "half_life", "corr"), ("y", "x", "pair")
ROW = {
    "q": 0.01,
    "p": 0.002,
    "z": -2.5,
    "half_life": None,
    "corr": 0.8,
    "y": "BTCUSDT",
    "x": "1000PEPEUSDT",
    "pair": "BTCUSDT/1000PEPEUSDT",
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("q<0.05", True),
        ("q < .05 and abs(z) > 2", True),
        ("q<0.05 and z>2", False),
        ("z<-2", True),
        ("-z>2", True),
        ("q<0.001 or corr>=0.8", True),
        ("not q<0.05", False),
        ("NOT (q>0.5 or z=0) AND corr != 1", True),
        ("0.5<corr<0.9", True),
        ("0.5<corr<0.7", False),
        ("corr==8e-1", True),
        ("y=BTC*", True),
        ("y=btc*", True),
        ("y=BTC", False),
        ("y!=ETH* and x=1000*", True),
        ("pair=*PEPE*", True),
        ("half_life<50", None),
        ("half_life<50 or q<1", True),
        ("half_life<50 and q<1", None),
        ("half_life<50 and q>1", False),
        ("not half_life<50", None),
        ("abs(half_life)<50", None),
    ],
)
def test_a_filter_says_of_a_row_what_it_means(text: str, expected: bool | None) -> None:
    assert parse(text, NAMES, TEXTS)(ROW) is expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "ends too early"),
        ("q", "ends too early"),
        ("q<", "ends too early"),
        ("q<0.05 and", "ends too early"),
        ("q<0.05 z>2", "join conditions by and, or"),
        ("(q<0.05", "'\\)' is missing"),
        ("abs z>2", "'\\(' is missing before 'z'"),
        ("foo<1", "there is no column 'foo': corr half_life p pair q x y z"),
        ("y<3", "y is a text"),
        ("y=", "needs a text"),
        ("q<y", "there is no column 'y'|is not"),
        ("q $ 1", "'\\$' means nothing"),
        ("q<0.05;", "';' means nothing"),
        ("__import__('os')", "there is no column|means nothing"),
        ("q < 1 < ", "ends too early"),
        ("and", "there is no column 'and'"),
        (")", "where a number or a column should be"),
        ("(" * 30 + "q<1" + ")" * 30, "nested more than 20"),
        ("not " * 40 + "q<1", "more than 20 times not"),
        ("q<1" + " or q<1" * 40, f"at most {LONGEST}"),
    ],
)
def test_a_mistake_is_one_line(text: str, said: str) -> None:
    with pytest.raises(FilterError, match=said) as caught:
        parse(text, NAMES, TEXTS)
    assert "\n" not in str(caught.value)


def test_no_text_whatever_makes_anything_but_a_filter_or_a_line() -> None:
    pieces = ["q", "<", "0.05", "and", "(", ")", "abs", "not", "y", "=", "BTC*", "-", "1e", "..", "*", "é", "\x00", "'", "or"]
    for i, a in enumerate(pieces):
        for b in pieces:
            for c in pieces[i:]:
                with suppress(FilterError):
                    assert parse(f"{a}{b} {c}", NAMES, TEXTS)(ROW) in (True, False, None)
