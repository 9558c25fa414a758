"""The way to the exchange: which proxy the environment names, and in plain words why there is no way."""

import errno
import socket
import ssl
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import aiohttp_socks
import python_socks

HAPPY_EYEBALLS_S = 0.25
"""An address that has not answered by then has company: a dead IPv6 must not keep us from IPv4 (RFC 8305)."""
_NEXT = {"wss": "https", "ws": "http"}
_SOCKS = (aiohttp_socks.ProxyError, aiohttp_socks.ProxyConnectionError, aiohttp_socks.ProxyTimeoutError)
UNREACHABLE = (aiohttp.ClientError, *_SOCKS, TimeoutError, OSError)
"""What a request of HTTP can end with where no answer came."""
_NO_WAY = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL)


def proxy_for(url: str) -> str | None:
    """As the environment says: `wss_proxy`, else `https_proxy`, else `all_proxy`; none for the hosts of `no_proxy`."""
    parts = urlsplit(url)
    if proxy_bypass(parts.hostname or ""):
        return None
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get(_NEXT.get(parts.scheme, "")) or proxies.get("all")
    if not proxy:
        return None
    if "://" not in proxy:
        return f"http://{proxy}"
    return proxy.replace("socks5h://", "socks5://", 1)  # the proxy looks names up in both


def make_session(url: str) -> aiohttp.ClientSession:
    """An HTTP session for the host of `url`, by its proxy where there is one; certificates are always checked."""
    proxy, headers = proxy_for(url), {"User-Agent": "quantui"}
    if proxy is not None and proxy.startswith("socks"):
        return aiohttp.ClientSession(connector=aiohttp_socks.ProxyConnector.from_url(proxy), headers=headers)
    connector = aiohttp.TCPConnector(happy_eyeballs_delay=HAPPY_EYEBALLS_S)
    return aiohttp.ClientSession(connector=connector, proxy=proxy, headers=headers)


def reason(error: BaseException) -> str:
    """Why a connection could not be made, in a few words; never with the user and password of a proxy."""
    match error:
        case python_socks.ProxyTimeoutError() | aiohttp_socks.ProxyTimeoutError():
            return "the proxy does not answer in time"
        case TimeoutError():
            return "no answer in time"
        case aiohttp.ClientConnectorCertificateError():
            return _distrust(error.certificate_error)
        case ssl.SSLCertVerificationError():
            return _distrust(error)
        case aiohttp.ClientConnectorDNSError() | socket.gaierror():
            return "its name is not found"
        case aiohttp.ClientProxyConnectionError():
            return f"the proxy does not answer: {error.os_error.strerror or error.os_error}"
        case aiohttp.ClientHttpProxyError():
            return f"the proxy refuses: {error.status} {error.message}"
        case aiohttp_socks.ProxyError() | python_socks.ProxyError():
            return f"the proxy refuses: {error}"
        case aiohttp_socks.ProxyConnectionError() | python_socks.ProxyConnectionError():
            return f"the proxy does not answer: {error}"
        case aiohttp.ClientConnectorError():
            return error.os_error.strerror or str(error.os_error)
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def never_left(error: BaseException) -> bool:
    """There was no name or no network: the exchange has seen nothing of the try, which may be repeated soon."""
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    return isinstance(cause, socket.gaierror) or (isinstance(cause, OSError) and cause.errno in _NO_WAY)


def _distrust(error: Exception) -> str:
    text = getattr(error, "verify_message", "") or str(error)
    return f"its certificate is not to be trusted ({text}); something may stand between you and the exchange, or the clock is wrong"
