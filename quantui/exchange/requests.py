"""The control messages of a socket: what is asked, and the answers and errors of the wire (binance.md A2)."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from quantui.exchange.limits import STREAM_LIMIT
from quantui.exchange.listings import Market
from quantui.exchange.streams import is_legal

METHODS = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY")


class RequestError(Exception):
    """A request is refused; `fatal` closes the socket with 1008 `Invalid request`."""

    def __init__(self, code: int, message: str, *, fatal: bool = False, unreadable_id: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.fatal = fatal
        self.unreadable_id = unreadable_id


@dataclass(slots=True)
class Desk:
    """The subscriptions and properties of one socket. Names are kept whether they exist or not: an answer proves nothing."""

    market: Market
    combined: bool
    flat_errors: bool = False
    names: dict[str, None] = field(default_factory=dict)

    def add(self, names: Iterable[str]) -> None:
        """Subscribe. Raises `RequestError` for a malformed name and for too many."""
        for name in names:
            if not is_legal(name):
                raise RequestError(2, "Invalid request: invalid stream", fatal=True)
            self.names[name] = None
        if len(self.names) > STREAM_LIMIT:
            raise RequestError(4, "Too many subscriptions", fatal=True)

    def answer(self, text: str) -> tuple[str, bool]:
        """The reply to one message, and whether the socket is closed after it."""
        request_id: Any = None
        try:
            request = _parsed(text)
            request_id = request.get("id")
            self._check_id(request)
            result = self._perform(request, text)
        except RequestError as error:
            return self.error_text(error, None if error.unreadable_id else request_id), error.fatal
        return _dumped({"result": result, "id": request_id}), False

    def error_text(self, error: RequestError, request_id: int | str | None) -> str:
        """An error: nested as on the wire, or flat as the document prints it."""
        problem = {"code": error.code, "msg": error.message}
        return _dumped(problem if self.flat_errors else {"error": problem, "id": request_id})

    def _check_id(self, request: dict[str, Any]) -> None:
        value: Any = request.get("id")
        is_int = isinstance(value, int) and not isinstance(value, bool)
        if self.market is Market.USDM:
            if not (is_int and 0 <= value < 1 << 64):
                raise RequestError(2, "Invalid request: request ID must be an unsigned integer", unreadable_id=True)
            return
        is_text = isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9]{1,36}", value) is not None
        if not (value is None or is_text or (is_int and -(1 << 63) <= value < 1 << 63)):
            detail = "an integer, an alphanumeric string of at most 36 characters, or null"
            raise RequestError(2, f"Invalid request: request ID must be {detail}", unreadable_id=True)

    def _perform(self, request: dict[str, Any], text: str) -> list[str] | bool | None:
        if "method" not in request:
            raise RequestError(2, f"Invalid request: missing field `method` at line 1 column {len(text)}")
        method, params = request["method"], request.get("params", [])
        if method not in METHODS:
            raise _unknown_variant(method, text)
        if not isinstance(params, list):
            raise RequestError(2, "Invalid request: invalid type: params must be a sequence")
        match method:
            case "LIST_SUBSCRIPTIONS":
                return list(self.names)
            case "GET_PROPERTY" | "SET_PROPERTY":
                return self._property(method, params)
        if not all(isinstance(name, str) for name in params):
            raise RequestError(2, "Invalid request: invalid stream", fatal=True)
        if method == "SUBSCRIBE":
            self.add(params)
        else:
            for name in params:
                self.names.pop(name, None)
        return None

    def _property(self, method: str, params: list[Any]) -> bool | None:
        wanted = 1 if method == "GET_PROPERTY" else 2
        if len(params) > wanted:
            raise RequestError(2, "Invalid request: too many parameters")
        if not params or not isinstance(params[0], str):
            raise RequestError(2, "Invalid request: property name must be a string")
        if params[0] != "combined":
            raise RequestError(0, "Unknown property")
        if method == "GET_PROPERTY":
            return self.combined
        if len(params) < 2 or not isinstance(params[1], bool):
            raise RequestError(1, "Invalid value type: expected Boolean")
        self.combined = params[1]
        return None


def _parsed(text: str) -> dict[str, Any]:
    try:
        request = json.loads(text)
    except json.JSONDecodeError as error:
        raise RequestError(3, f"Invalid JSON: expected value at line {error.lineno} column {error.colno}") from error
    except ValueError as error:  # an integer of more digits than are read
        raise RequestError(3, "Invalid JSON: number out of range at line 1 column 1") from error
    except RecursionError as error:
        raise RequestError(3, "Invalid JSON: recursion limit exceeded at line 1 column 128") from error
    if not isinstance(request, dict):
        raise RequestError(2, "Invalid request: invalid type: expected struct Request at line 1 column 0")
    return request


def _unknown_variant(method: object, text: str) -> RequestError:
    shown = json.dumps(method, ensure_ascii=False)
    column = text.find(shown) + len(shown)
    expected = ", ".join(f"`{name}`" for name in METHODS)
    return RequestError(2, f"Invalid request: unknown variant {shown}, expected one of {expected} at line 1 column {column}")


def _dumped(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
