"""The small language of the scanner's filter: `q<0.05 and abs(z)>2 and half_life<50 and y=BTC*`.

Names are columns; `< <= > >= = !=` compare, a text with `*` for anything; `and`, `or`, `not`, brackets, `abs()`. What a row does
not know makes its answer unknown, and unknown is not shown. Read by hand, never evaluated as a program.
"""

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Final

Value = float | str | None
Row = Mapping[str, Value]
Test = Callable[[Row], bool | None]
_Operand = Callable[[Row], Value]

LONGEST: Final = 200
_DEEPEST: Final = 20
_COMPARE: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "=": operator.eq, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
_TOKEN: Final = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w*]))|(?P<word>[\w*][\w*./:]*)|(?P<sign><=|>=|!=|==|[<>=()-]))"
)


class FilterError(ValueError):
    """The filter cannot be read; the message is one line."""


def parse(text: str, names: Sequence[str], texts: Sequence[str]) -> Test:
    """The test a filter stands for.

    Args:
        text: What was typed.
        names: Columns that hold numbers.
        texts: Columns that hold texts.

    Raises:
        FilterError: It says where and why.
    """
    if len(text) > LONGEST:
        raise FilterError(f"a filter has at most {LONGEST} characters")
    reader = _Reader(_tokens(text), frozenset(names), frozenset(texts))
    test = reader.either(0)
    if reader.kind:
        raise FilterError(f"{reader.token!r} is not expected there: join conditions by and, or")
    return test


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at, end = [], 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            raise FilterError(f"{text[at:].strip()[:1]!r} means nothing in a filter")
        found.append((match.lastgroup or "", match[match.lastgroup or 0]))
        at = match.end()
    return found


class _Reader:
    """Reads tokens from the left, one rule a method."""

    def __init__(self, tokens: Sequence[tuple[str, str]], names: frozenset[str], texts: frozenset[str]) -> None:
        self._tokens, self._at = tokens, 0
        self._names, self._texts = names, texts

    @property
    def kind(self) -> str:
        """What stands next: `number`, `word`, `sign`; empty at the end."""
        return self._tokens[self._at][0] if self._at < len(self._tokens) else ""

    @property
    def token(self) -> str:
        """The next token's text."""
        return self._tokens[self._at][1] if self._at < len(self._tokens) else ""

    def _took(self, *wanted: str) -> bool:
        if self.token.lower() not in wanted or not self.kind:
            return False
        self._at += 1
        return True

    def either(self, depth: int) -> Test:
        """Conditions joined by `or`."""
        if depth > _DEEPEST:
            raise FilterError(f"brackets are nested more than {_DEEPEST} deep")
        tests = [self._all(depth)]
        while self._took("or"):
            tests.append(self._all(depth))
        return tests[0] if len(tests) == 1 else lambda row: _any([test(row) for test in tests])

    def _all(self, depth: int) -> Test:
        tests = [self._single(depth)]
        while self._took("and"):
            tests.append(self._single(depth))
        return tests[0] if len(tests) == 1 else lambda row: _every([test(row) for test in tests])

    def _single(self, depth: int) -> Test:
        if self._took("not"):
            if depth > _DEEPEST:
                raise FilterError(f"more than {_DEEPEST} times not")
            test = self._single(depth + 1)
            return lambda row: None if (known := test(row)) is None else not known
        if self._took("("):
            inner = self.either(depth + 1)
            self._need(")")
            return inner
        return self._comparison()

    def _comparison(self) -> Test:
        if self.kind == "word" and self.token.lower() in self._texts:
            return self._text_comparison()
        left, tests = self._operand(), list[Test]()
        while self.token in _COMPARE:
            compare = _COMPARE[self.token]
            self._at += 1
            right = self._operand()
            tests.append(_comparison_of(compare, left, right))
            left = right
        if not tests:
            raise FilterError(f"{self.token!r} where < <= > >= = != should be" if self.kind else "the filter ends too early")
        return tests[0] if len(tests) == 1 else lambda row: _every([test(row) for test in tests])

    def _text_comparison(self) -> Test:
        name = self._next().lower()
        sign = self.token
        if not self._took("=", "==", "!="):
            raise FilterError(f"{name} is a text: compare it by = or !=")
        if self.kind not in ("word", "number"):
            raise FilterError(f"{name}{sign} needs a text, such as BTC*")
        pattern, wanted = self._next().upper(), sign != "!="

        def test(row: Row) -> bool | None:
            value = row.get(name)
            return fnmatchcase(value.upper(), pattern) is wanted if isinstance(value, str) else None

        return test

    def _operand(self) -> _Operand:
        if self._took("-"):
            inner = self._operand()
            return lambda row: -value if isinstance(value := inner(row), float | int) else None
        if self.kind == "number":
            number = float(self._next())
            return lambda row: number
        if self.kind != "word":
            raise FilterError(f"{self.token!r} where a number or a column should be" if self.kind else "the filter ends too early")
        name = self._next().lower()
        if name == "abs":
            self._need("(")
            inner = self._operand()
            self._need(")")
            return lambda row: abs(value) if isinstance(value := inner(row), float | int) else None
        if name not in self._names:
            raise FilterError(f"there is no column {name!r}: {' '.join(sorted(self._names | self._texts))}")
        return lambda row: row.get(name)

    def _next(self) -> str:
        token = self.token
        self._at += 1
        return token

    def _need(self, sign: str) -> None:
        if not self._took(sign):
            raise FilterError(f"{sign!r} is missing" + (f" before {self.token!r}" if self.kind else ""))


def _comparison_of(compare: Callable[[float, float], bool], left: _Operand, right: _Operand) -> Test:
    return lambda row: _compared(compare, left(row), right(row))


def _compared(compare: Callable[[float, float], bool], a: Value, b: Value) -> bool | None:
    return compare(a, b) if isinstance(a, float | int) and isinstance(b, float | int) else None


def _every(known: Sequence[bool | None]) -> bool | None:
    if False in known:
        return False
    return None if None in known else True


def _any(known: Sequence[bool | None]) -> bool | None:
    if True in known:
        return True
    return None if None in known else False
