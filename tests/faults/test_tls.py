"""R-29: a certificate that is not to be trusted is never overlooked, and said; a handshake that stalls is given up."""

import asyncio
import contextlib
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
import trustme

from quantui.clock import Clock
from quantui.feeds.binance import network, rest
from quantui.feeds.binance.barrier import Barrier
from quantui.feeds.binance.rest import Rest, UnreachableError
from quantui.feeds.binance.wire import connect
from tests.feeds.binance.emulator import SPOT, running_emulator, until


class _Authority:
    """A certificate authority that this process trusts, as the system's are trusted."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ca = trustme.CA()
        self.ca.cert_pem.write_to_path(folder / "ca.pem")
        monkeypatch.setenv("SSL_CERT_FILE", str(folder / "ca.pem"))
        trusting = ssl.create_default_context()
        monkeypatch.setattr("aiohttp.connector._SSL_CONTEXT_VERIFIED", trusting)  # made when aiohttp was imported

    def context(self, kind: str) -> ssl.SSLContext:
        """What a server shows: a `good` certificate or a faulty one."""
        names = ["elsewhere.example"] if kind == "wrong name" else ["localhost"]
        issuer = trustme.CA() if kind == "unknown issuer" else self.ca
        ended = datetime.now(UTC) - timedelta(days=1)
        found = issuer.issue_cert(*names, not_after=ended if kind == "expired" else None)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        found.configure_cert(context)
        return context


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> _Authority:
    return _Authority(tmp_path, monkeypatch)


async def test_a_good_certificate_is_trusted(authority: _Authority) -> None:
    async with running_emulator(authority.context("good")) as emulator, network.make_session(emulator.url) as session:
        emulator.tell("time", {"serverTime": 5})
        wire = await connect(emulator.ws + "/stream?streams=a", lambda message: None)
        await until(lambda: emulator.sockets)
        await wire.close()
        clock = Clock()
        served, _ = await Rest(session, SPOT, emulator.url, clock, Barrier("spot", clock)).server_time()
        assert served == 5


@pytest.mark.parametrize(
    ("kind", "said"), [("wrong name", "ostname mismatch"), ("expired", "expired"), ("unknown issuer", "issuer")]
)
async def test_another_certificate_ends_it_with_a_plain_word(authority: _Authority, kind: str, said: str) -> None:
    def heard(_: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        """The server's side of a handshake that the client broke off."""

    asyncio.get_running_loop().set_exception_handler(heard)
    async with running_emulator(authority.context(kind)) as emulator, network.make_session(emulator.url) as session:
        with pytest.raises(OSError) as refused:
            await connect(emulator.ws + "/stream?streams=a", lambda message: None)
        assert "certificate is not to be trusted" in network.reason(refused.value)
        assert said in network.reason(refused.value)
        clock = Clock()
        with pytest.raises(UnreachableError, match=f"certificate is not to be trusted.*{said}"):
            await Rest(session, SPOT, emulator.url, clock, Barrier("spot", clock)).server_time()
        assert not emulator.sockets
        assert not emulator.requests, "nothing was asked of whoever it was"


async def test_a_handshake_that_stalls_is_given_up_within_ten_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(OSError):
            while await reader.read(65536):
                pass

    assert (rest._TIMEOUT.total or 99) <= 10
    monkeypatch.setattr(rest, "_TIMEOUT", aiohttp.ClientTimeout(total=0.2))
    async with await asyncio.start_server(mute, "127.0.0.1", 0) as server:
        place = f"//127.0.0.1:{server.sockets[0].getsockname()[1]}"
        clock = Clock()
        async with network.make_session("https:" + place) as session:
            with pytest.raises(UnreachableError, match="no answer in time"):
                await Rest(session, SPOT, "https:" + place, clock, Barrier("spot", clock)).server_time()
        begun = asyncio.get_running_loop().time()
        with pytest.raises(TimeoutError):
            await connect("wss:" + place + "/stream", lambda message: None, speed=50.0)
        assert asyncio.get_running_loop().time() - begun <= 10 / 50 + 0.1
