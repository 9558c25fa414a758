"""Makes the strings of a document safe at the one place where documents enter the screen."""

from typing import TYPE_CHECKING, TypeVar, cast

from quantui.text import safe

if TYPE_CHECKING:
    import msgspec

_T = TypeVar("_T")


def safe_document(document: _T) -> _T:
    """The same snapshot or page with every string shown literally; the very object where there was nothing to change."""
    return cast("_T", _safe(document))


def _safe(value: object) -> object:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, tuple):
        if not value or isinstance(value[0], (int, float, type(None))):
            return value
        items = tuple(_safe(item) for item in value)
        return value if all(new is old for new, old in zip(items, value, strict=True)) else items
    if isinstance(value, dict):
        return {_safe(key): _safe(item) for key, item in value.items()}
    fields = getattr(value, "__struct_fields__", None)
    if fields is None:
        return value
    changed = {name: new for name in fields if (new := _safe(old := getattr(value, name))) is not old and new != old}
    if not changed:
        return value
    from msgspec.structs import replace

    return replace(cast("msgspec.Struct", value), **changed)


def _text(value: str) -> str:
    cleaned = safe(value)
    return value if cleaned == value else cleaned
