"""Pens: how a cell is drawn, as the parameters of the escape sequence that selects it, and the shortest way from one to another."""

from functools import lru_cache
from typing import Final, NamedTuple

_OFF: Final = {"1": "22", "2": "22", "3": "23", "4": "24", "5": "25", "7": "27", "8": "28", "9": "29"}
"""Attribute and what switches it off (ECMA-48, 8.3.117)."""


class Pen(NamedTuple):
    """The parameters that select each part; empty where it is the terminal's own."""

    ink: str = ""
    paper: str = ""
    attributes: frozenset[str] = frozenset()


@lru_cache(maxsize=1024)
def pen_of(parameters: str) -> Pen:
    """The pen that these parameters select, from plain."""
    ink = paper = ""
    attributes: set[str] = set()
    rest = parameters.split(";")
    while rest:
        head = rest.pop(0)
        if head in ("38", "48"):
            length = 2 if rest[:1] == ["5"] else 4
            color, rest = ";".join([head, *rest[:length]]), rest[length:]
        elif head in _OFF:
            attributes.add(head)
            continue
        else:
            color = head
        if color.startswith(("38", "3", "9")) and color != "39":
            ink = color
        elif color.startswith(("48", "4", "10")) and color != "49":
            paper = color
        elif color in ("", "0"):
            ink, paper, attributes = "", "", set()
    return Pen(ink, paper, frozenset(attributes))


@lru_cache(maxsize=4096)
def switch(before: str, after: str) -> str:
    """The shortest sequence from one pen to another."""
    old, new = pen_of(before), pen_of(after)
    if old == new:
        return ""
    off = {_OFF[each] for each in old.attributes - new.attributes}
    again = {each for each in new.attributes if _OFF[each] in off}  # bold and dim are switched off by one parameter
    step = [*sorted(off), *sorted((new.attributes - old.attributes) | again)]
    if old.ink != new.ink:
        step.append(new.ink or "39")
    if old.paper != new.paper:
        step.append(new.paper or "49")
    anew = [*sorted(new.attributes), *filter(None, (new.ink, new.paper))]
    return f"\x1b[{min(';'.join(step), ';'.join(['', *anew]), key=len)}m"
