"""The REST host of one market: weights, errors, and data from the same tapes as the streams (binance.md A5)."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from aiohttp import web

from quantui.clock import Clock
from quantui.exchange import payloads
from quantui.exchange.captured import CapturedTape
from quantui.exchange.events import day_of
from quantui.exchange.faults import Faults
from quantui.exchange.hub import Timeline
from quantui.exchange.limits import Account
from quantui.exchange.listings import INTERVALS, Market, decimal
from quantui.exchange.tape import Tape

_TWO_DAYS_MS = 48 * 3_600_000
_BACK_EVERY = 50
Answer = Callable[[Mapping[str, str], int, int], str]
"""Query, exchange time in ms and the factor of the time unit wanted, to JSON."""


class RefusedError(Exception):
    """A request is answered with 400 and a code."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(slots=True)
class RestHost:
    """Answers of one market."""

    market: Market
    tapes: Mapping[str, Tape]
    timeline: Timeline
    clock: Clock
    account: Account
    faults: Faults

    def application(self) -> web.Application:
        """The routes, below `/api/v3` or `/fapi/v1`."""
        app = web.Application(client_max_size=1 << 16)
        base = "/api/v3" if self.market is Market.SPOT else "/fapi/v1"
        answers: dict[str, Answer] = {
            "ping": lambda query, now, unit: "{}",
            "time": lambda query, now, unit: f'{{"serverTime":{now * unit}}}',
            "exchangeInfo": self._exchange_info,
            "klines": self._klines,
            "aggTrades": self._agg_trades,
            "ticker/24hr": self._day_tickers,
            "ticker/bookTicker": self._book_tickers,
        }
        if self.market is Market.USDM:
            answers["premiumIndex"] = self._premium_index
        else:
            answers["uiKlines"] = self._ui_klines
        for path, answer in answers.items():
            app.router.add_get(f"{base}/{path}", self._handler(path, answer))
        return app

    def _handler(self, path: str, answer: Answer) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            self.account.arrived(self.timeline.now_ms())
            if self.clock.monotonic() < self.faults.rest_out_until:
                if request.transport is not None:
                    request.transport.abort()
                return web.Response(status=503)
            if self.faults.rest_delay_s:
                await self.clock.sleep(self.faults.rest_delay_s)
            micro = self.market is Market.SPOT and request.headers.get("X-MBX-TIME-UNIT", "").upper() == "MICROSECOND"
            return self._respond(path, answer, request.query, 1000 if micro else 1)

        return handle

    def _respond(self, path: str, answer: Answer, query: Mapping[str, str], unit: int) -> web.Response:
        now = self.timeline.now_ms()
        status, retry = self.account.weigh(self._weight(path, query), now)
        headers = {"X-MBX-USED-WEIGHT-1M": str(self.account.used)}
        ordered = self.faults.next_status()
        if ordered:
            status, retry = ordered, 10
        if status:
            if status in (418, 429):
                headers["Retry-After"] = str(retry)
                self.account.told_to_wait(retry, now)
            text, kind = self.faults.body(status, limit=self.account.weight_limit, until_ms=now + retry * 1000)
            return web.Response(status=status, text=text, content_type=kind, headers=headers)
        try:
            text = answer(query, now, unit)
        except RefusedError as error:
            text = json.dumps({"code": error.code, "msg": error.message}, separators=(",", ":"))
            return web.Response(status=400, text=text, content_type="application/json", headers=headers)
        return web.Response(text=text, content_type="application/json", headers=headers)

    def _weight(self, path: str, query: Mapping[str, str]) -> int:
        spot, one = self.market is Market.SPOT, "symbol" in query
        match path:
            case "exchangeInfo":
                return 20 if spot else 1
            case "klines" if not spot:
                limit = int(query["limit"]) if query.get("limit", "").isdigit() else 501
                return 1 if limit <= 100 else 2 if limit <= 500 else 5 if limit <= 1000 else 10
            case "klines" | "uiKlines":
                return 2
            case "aggTrades":
                return 4 if spot else 20
            case "ticker/24hr":
                return (2 if spot else 1) if one else (80 if spot else 40)
            case "ticker/bookTicker":
                return 2 if one else 4 if spot else 5
            case "premiumIndex":
                return 1 if one else 10
        return 1

    def _tape(self, query: Mapping[str, str]) -> Tape:
        symbol = query.get("symbol", "")
        if not symbol:
            raise RefusedError(-1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.")
        tape = self.tapes.get(symbol)
        if tape is None:
            raise RefusedError(-1121, "Invalid symbol.")
        return tape

    def _chosen(self, query: Mapping[str, str]) -> tuple[list[Tape], bool]:
        """(the tapes asked for, whether it was one symbol)."""
        return ([self._tape(query)], True) if "symbol" in query else (list(self.tapes.values()), False)

    def _klines(self, query: Mapping[str, str], now: int, unit: int) -> str:
        tape, interval = self._tape(query), query.get("interval", "")
        if interval not in INTERVALS or (self.market is Market.USDM and interval == "1s"):
            raise RefusedError(-1120, "Invalid interval.")
        length, most = INTERVALS[interval], 1000 if self.market is Market.SPOT else 1500
        limit = min(_number(query, "limit", 500), most)
        until = now - self.faults.rest_lag_ms
        start, end = _number(query, "startTime", -1), _number(query, "endTime", until)
        end = min(end + 1, until)
        newest = start < 0
        if newest:
            start = (end - 1) // length * length - (limit - 1) * length - self._halted_ms(tape)
        else:
            end = min(end, start - start % length + (limit + 1) * length + self._halted_ms(tape))
        bars = list(tape.klines(interval, start, end, until))
        rows = (payloads.kline_row(tape.listing, bar, length, unit) for bar in (bars[-limit:] if newest else bars[:limit]))
        return f"[{','.join(rows)}]"

    def _halted_ms(self, tape: Tape) -> int:
        """Time without klines, which does not use up a limit."""
        return sum(min(end, self.timeline.now_ms()) - start for start, end in tape.halts if start < self.timeline.now_ms())

    def _ui_klines(self, query: Mapping[str, str], now: int, unit: int) -> str:
        """As klines, but altered for charts: each opens at the close before."""
        rows = json.loads(self._klines(query, now, unit))
        for before, row in pairwise(rows):
            row[1] = before[4]
        return json.dumps(rows, separators=(",", ":"))

    def _agg_trades(self, query: Mapping[str, str], now: int, unit: int) -> str:
        tape, until = self._tape(query), now - self.faults.rest_lag_ms
        limit = min(_number(query, "limit", 500), 1000)
        from_id = _number(query, "fromId", -1)
        start, end = _number(query, "startTime", -1), _number(query, "endTime", -1)
        if from_id >= 0 and (start >= 0 or end >= 0):
            raise RefusedError(-1128, "Combination of optional parameters invalid.")
        if self.market is Market.USDM and 0 <= start < now - _TWO_DAYS_MS:
            raise RefusedError(-4166, "Search window is restricted to recent 2 days only.")
        rows = tape.aggregates(
            until_ms=until,
            limit=limit,
            from_id=max(from_id, 0),
            start_ms=max(start, 0),
            newest=from_id < 0 and start < 0,
            end_ms=end if end >= 0 else None,
        )
        if self.market is Market.USDM and rows and rows[0].time < now - _TWO_DAYS_MS:
            raise RefusedError(-4166, "Search window is restricted to recent 2 days only.")
        if self.faults.time_goes_back:
            rows = [row._replace(time=row.time - min(row.time % 1000, 7)) if row.id % _BACK_EVERY == 0 else row for row in rows]
        return f"[{','.join(payloads.agg_trade_row(tape.listing, row, unit) for row in rows)}]"

    def _exchange_info(self, query: Mapping[str, str], now: int, unit: int) -> str:
        captured = next((tape.session.info for tape in self.tapes.values() if isinstance(tape, CapturedTape)), "")
        if captured:
            return captured
        tapes = self._chosen(query)[0] if self.market is Market.SPOT else list(self.tapes.values())
        limits = [{"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": self.account.weight_limit}]
        if self.market is Market.SPOT:
            limits.append({"rateLimitType": "RAW_REQUESTS", "interval": "MINUTE", "intervalNum": 5, "limit": 300_000})
        info: dict[str, object] = {"timezone": "UTC", "serverTime": now * unit}
        if self.market is Market.USDM:
            info["futuresType"] = "U_MARGINED"
        info |= {"rateLimits": limits, "exchangeFilters": [], "symbols": [_symbol_info(tape, now) for tape in tapes]}
        return json.dumps(info, ensure_ascii=False, separators=(",", ":"))

    def _day_tickers(self, query: Mapping[str, str], now: int, unit: int) -> str:
        tapes, single = self._chosen(query)
        rows = [_day_ticker(tape, now) for tape in tapes]
        return json.dumps(rows[0] if single else rows, ensure_ascii=False, separators=(",", ":"))

    def _book_tickers(self, query: Mapping[str, str], now: int, unit: int) -> str:
        tapes, single = self._chosen(query)
        rows = []
        for tape in tapes:
            listing, price = tape.listing, tape.close_at(now) or 0
            lot = listing.quantity(10**listing.quantity_decimals)
            row: dict[str, object] = {"symbol": listing.symbol, "bidPrice": listing.price(max(price - 1, 0)), "bidQty": lot}
            row |= {"askPrice": listing.price(price), "askQty": lot}
            if self.market is Market.USDM:
                row |= {"time": now, "lastUpdateId": now}
            rows.append(row)
        return json.dumps(rows[0] if single else rows, ensure_ascii=False, separators=(",", ":"))

    def _premium_index(self, query: Mapping[str, str], now: int, unit: int) -> str:
        tapes, single = self._chosen(query)
        rows = []
        for tape in tapes:
            price = decimal(tape.close_at(now) or 0, tape.listing.price_decimals, 8)
            row: dict[str, object] = {"symbol": tape.listing.symbol, "markPrice": price, "indexPrice": price}
            row |= {"estimatedSettlePrice": price, "lastFundingRate": payloads.funding_rate(tape.listing)}
            row |= {"interestRate": "0.00010000", "nextFundingTime": payloads.next_funding(now), "time": now}
            rows.append(row)
        return json.dumps(rows[0] if single else rows, separators=(",", ":"))


def _number(query: Mapping[str, str], name: str, otherwise: int) -> int:
    text = query.get(name)
    if text is None:
        return otherwise
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise RefusedError(-1100, f"Illegal characters found in parameter '{name}'; legal range is '^[0-9]{{1,20}}$'.")
    value = int(text)
    if name in ("startTime", "endTime") and value > 10**14:
        value //= 1000  # microseconds are accepted too
    if name == "limit" and value == 0:
        raise RefusedError(-1130, "Data sent for parameter 'limit' is not valid.")
    return value


def _symbol_info(tape: Tape, now: int) -> dict[str, object]:
    listing = tape.listing
    tick, step = _step(listing.price_decimals), _step(listing.quantity_decimals)
    if listing.market is Market.SPOT:
        tick, step = f"{float(tick):.8f}", f"{float(step):.8f}"
    base = listing.symbol.removesuffix("USDT")
    halted = tape.is_halted(now)
    filters = [
        {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "1000000", "tickSize": tick},
        {"filterType": "LOT_SIZE", "minQty": step, "maxQty": "9000000", "stepSize": step},
    ]
    info: dict[str, object] = {"symbol": listing.symbol, "status": "TRADING", "baseAsset": base, "quoteAsset": "USDT"}
    if listing.market is Market.SPOT:
        info |= {"status": "HALT" if halted else "TRADING", "baseAssetPrecision": 8, "quotePrecision": 8, "quoteAssetPrecision": 8}
        return info | {"orderTypes": ["LIMIT", "MARKET"], "isSpotTradingAllowed": True, "filters": filters, "permissions": []}
    # On futures the precisions are not those of tick and step (binance.md A6.5).
    info |= {"pair": listing.symbol, "contractType": "PERPETUAL", "marginAsset": "USDT"}
    info |= {"pricePrecision": listing.price_decimals + 1, "quantityPrecision": listing.quantity_decimals}
    return info | {"underlyingType": "COIN", "filters": filters, "orderTypes": ["LIMIT", "MARKET"]}


def _step(decimals: int) -> str:
    return decimal(1, decimals, decimals)


def _day_ticker(tape: Tape, now: int) -> dict[str, object]:
    day, listing = day_of(tape, now), tape.listing
    if day is None:
        return {"symbol": listing.symbol, "openTime": now - 86_400_000, "closeTime": now, "count": 0}
    change = abs(day.close - day.open)
    sign = "-" if day.close < day.open else ""
    average = listing.price(day.quote_volume // day.volume if day.volume else day.close)
    row: dict[str, object] = {"symbol": listing.symbol, "priceChange": sign + listing.price(change)}
    row |= {"priceChangePercent": f"{100 * (day.close - day.open) / day.open:.3f}", "weightedAvgPrice": average}
    row |= {"lastPrice": listing.price(day.close), "openPrice": listing.price(day.open), "highPrice": listing.price(day.high)}
    row |= {
        "lowPrice": listing.price(day.low),
        "volume": listing.quantity(day.volume),
        "quoteVolume": listing.quote(day.quote_volume),
    }
    return row | {"openTime": now - 86_400_000, "closeTime": now, "count": day.trade_count, "lastId": day.last_id}
