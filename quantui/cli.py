"""The commands, one function each: parse, call, print. Heavy parts are imported where they are used."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from quantui import __version__, config, paths
from quantui.config import ConfigError, Loaded
from quantui.options import Parser, add_analyze, add_export, add_look, add_scan, add_verify, duration, factor, speed
from quantui.text import safe

if TYPE_CHECKING:
    from quantui.ui.settings import ScreenSettings

DONE, FAILED, USAGE, RUNNING, TOO_LITTLE, INTERRUPTED = 0, 1, 2, 3, 4, 130


def run(arguments: Sequence[str]) -> int:
    """Run one command; errors become one line on stderr and an exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.run
    try:
        return command(options)
    except (ConfigError, paths.PathError, argparse.ArgumentTypeError) as error:
        return _fail(error, USAGE)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED


def _fail(error: object, code: int) -> int:
    print(f"quantui: {safe(str(error))}", file=sys.stderr)
    return code


def _loaded(options: argparse.Namespace) -> Loaded:
    loaded = config.load(options.config, os.environ, Path.cwd())
    if loaded.settings.keys:
        from quantui.ui.keys import rebound

        try:
            rebound(loaded.settings.keys)
        except ValueError as error:
            raise ConfigError(f"{loaded.path}: [keys] {error}") from None
    return loaded


def _places(options: argparse.Namespace, inside: str = "") -> paths.Paths:
    """The places of the data directory; `inside` keeps demo and replay apart from live data unless one was named."""
    places = paths.resolve(options.data_dir, os.environ)
    if inside and options.data_dir is None:
        places = paths.resolve(places.data_dir / inside, os.environ)
    return places


# Screens.


def _screen(options: argparse.Namespace) -> int:
    return _show(options, _loaded(options), _places(options), ["--as-child", "live"])


def _demo(options: argparse.Namespace) -> int:
    places = _places(options, "demo")
    arguments = ["--as-child", "demo", "--speed", str(options.speed), "--seed", str(options.seed)]
    arguments += ["--faults"] if options.faults else []
    return _show(options, _loaded(options), places, arguments, fresh=options.data_dir is None)


def _replay(options: argparse.Namespace) -> int:
    from quantui.launch import absolute

    loaded = _loaded(options)
    places = _places(options, "replay")
    files = absolute(options.files)
    if not sys.stdin.isatty() or not sys.stderr.isatty() or options.headless or "-" in files:
        return _collect_now(options, loaded.settings, places, mode="replay", files=files, headless=True)
    skip = ["--skip-bad"] if options.skip_bad else []
    arguments = ["--as-child", "replay", "--speed", str(options.speed or "max"), *skip, "--", *files]
    return _show(options, loaded, places, arguments, fresh=options.data_dir is None)


def _attach(options: argparse.Namespace) -> int:
    from quantui.collector.client import Client
    from quantui.ui.run import run_screen

    settings = _loaded(options).settings
    places = _places(options)

    class Visitor(Client):
        """Quitting a visit ends nothing."""

        def stop(self) -> None:
            self.close()

    return run_screen(lambda: Visitor(options.url or places.socket), _screen_settings(options, settings, places))


def _show(
    options: argparse.Namespace, loaded: Loaded, places: paths.Paths, arguments: Sequence[str], *, fresh: bool = False
) -> int:
    from quantui.launch import Launcher
    from quantui.ui.run import run_screen

    command = ["--data-dir", str(places.data_dir), *_config_arguments(options, loaded), "collect", *arguments]
    launcher = Launcher(places, command, fresh)
    return run_screen(launcher.connect, _screen_settings(options, loaded.settings, places), abandon=launcher.abandon)


def _config_arguments(options: argparse.Namespace, loaded: Loaded) -> list[str]:
    level = ["--log-level", options.log_level] if options.log_level else []
    return level + (["--config", str(loaded.path.resolve())] if loaded.path is not None else [])


def _screen_settings(options: argparse.Namespace, settings: config.Settings, places: paths.Paths) -> "ScreenSettings":
    from quantui.ui.settings import ScreenSettings

    ui = settings.ui
    fps = getattr(options, "fps", ui.fps)
    if not 1 <= fps <= 10:
        raise argparse.ArgumentTypeError(f"--fps: must be 1 to 10, not {fps:g}")
    return ScreenSettings(
        fps=fps,
        bell=ui.bell,
        notify_terminal=ui.notify_terminal,
        glyphs=ui.glyphs,
        theme=getattr(options, "theme", ui.theme),
        driver=getattr(options, "driver", ui.driver),
        mouse=ui.mouse_on,
        time_zone=ui.time_zone,
        digits=ui.digits,
        motion=ui.motion,
        keys=settings.keys,
        plain=getattr(options, "plain", False),
        state_path=str(places.screen_state),
        log_path=str(places.screen_log),
    )


# The collector.


def _collect(options: argparse.Namespace) -> int:
    settings = _loaded(options).settings
    places = _places(options)
    return _collect_now(options, settings, places, mode=options.as_child or "live", files=options.files, headless=False)


def _collect_now(
    options: argparse.Namespace,
    settings: config.Settings,
    places: paths.Paths,
    *,
    mode: str,
    files: Sequence[str],
    headless: bool,
) -> int:
    import asyncio

    from quantui.collector.ending import CollectorError, InterruptedEndError
    from quantui.collector.lock import AlreadyRunningError
    from quantui.collector.process import Job, log_to_stderr, run
    from quantui.feeds.files.errors import FileError
    from quantui.store.records import StoreError

    log_to_stderr(options.log_level or ("warning" if headless else settings.collector.log_level))
    job = Job(
        mode=mode,
        child=bool(getattr(options, "as_child", None)),
        for_s=getattr(options, "for_s", None),
        files=tuple(files),
        speed=getattr(options, "speed", 1.0),
        seed=getattr(options, "seed", 1),
        headless=headless,
        skip_bad=getattr(options, "skip_bad", False),
        faults=getattr(options, "faults", False),
    )
    try:
        summary = asyncio.run(run(settings, places, job))
    except AlreadyRunningError as error:
        return _fail(error, RUNNING)
    except InterruptedEndError:
        return INTERRUPTED
    except (CollectorError, StoreError, FileError, OSError, ValueError) as error:
        return _fail(error, FAILED)
    if headless:
        print(f"quantui: {safe(summary)}", file=sys.stderr)
    return DONE


def _status(options: argparse.Namespace) -> int:
    from quantui import report

    return report.status(_places(options), as_json=options.json)


def _stop(options: argparse.Namespace) -> int:
    from quantui import report

    return report.stop(_places(options))


# Data.


def _analyze(options: argparse.Namespace) -> int:
    from quantui import analyze

    settings = _loaded(options).settings
    return analyze.run(settings, _places(options), options)


def _scan(options: argparse.Namespace) -> int:
    from quantui import scan

    return scan.run(_loaded(options).settings, _places(options), options)


def _export(options: argparse.Namespace) -> int:
    from quantui import exports

    return exports.run(_places(options), options)


def _verify(options: argparse.Namespace) -> int:
    from quantui import verify

    return verify.run(_loaded(options).settings, _places(options), options)


def _doctor(options: argparse.Namespace) -> int:
    from quantui import doctor

    return doctor.run(lambda: _loaded(options), _places(options), as_json=options.json)


def _config(options: argparse.Namespace) -> int:
    if options.action == "init":
        target = options.config or config.user_file(os.environ)
        config.init(target)
        print(f"wrote {safe(str(target))}", file=sys.stderr)
        return DONE
    loaded = _loaded(options)
    where = str(loaded.path) if loaded.path else "built in"
    if options.action == "show":
        print(f"# {where} ({loaded.source})\n{config.render(loaded.settings)}", end="")
    elif options.action == "path":
        print(where)
    else:
        print(f"{safe(where)}: no mistake found", file=sys.stderr)
    return DONE


# The parser.


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="quantui",
        description="The statistical-arbitrage desk in a terminal. Without a command: the screen on live Binance data.",
        epilog="Exit codes: 0 done, 1 failed or unhealthy, 2 wrong usage or configuration, 3 nothing or something already running,"
        " 4 not enough data, 130 interrupted.",
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="configuration (else $QUANTUI_CONFIG, ./config.toml, your own)")
    parser.add_argument(
        "--data-dir", type=Path, metavar="DIR", help="where data is kept (else $QUANTUI_DATA_DIR, your data directory)"
    )
    parser.add_argument("--log-level", choices=("debug", "info", "warning", "error"), help="what the collector logs")
    parser.add_argument("--version", action="version", version=f"quantui {__version__}")
    parser.set_defaults(run=_screen)
    add_look(parser)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        found = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        found.set_defaults(run=run)
        return found

    demo = command("demo", _demo, "the same screen against the embedded exchange; needs no network")
    demo.add_argument("--speed", type=factor, default=1.0, metavar="X", help="exchange time runs X times as fast (1)")
    demo.add_argument("--seed", type=int, default=1, metavar="N", help="of the invented market (1)")
    demo.add_argument("--faults", action="store_true", help="the exchange does wrong every half minute: watch the feed heal")

    add_look(demo)

    replay = command("replay", _replay, "recorded ticks through the same pipeline and screen")
    replay.add_argument("files", nargs="+", metavar="FILE", help="raw captures, tick NDJSON or CSV, Binance archives; - is stdin")
    replay.add_argument("--speed", type=speed, default=1.0, metavar="X|max", help="times real time, or max (1)")
    replay.add_argument("--skip-bad", action="store_true", help="count bad rows instead of stopping at the first")
    replay.add_argument("--headless", action="store_true", help="no screen: end with the recording (also without a terminal)")

    add_look(replay)

    collect = command("collect", _collect, "the collector alone, in the foreground; logs one JSON object a line on stderr")
    collect.add_argument("--for", dest="for_s", type=duration, metavar="DURATION", help="end after 60s, 15m, 2h ...")
    for name, kind in (("--as-child", str), ("--seed", int), ("--speed", speed)):
        collect.add_argument(name, type=kind, default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    for flag in ("--skip-bad", "--faults"):
        collect.add_argument(flag, action="store_true", help=argparse.SUPPRESS)
    collect.add_argument("files", nargs="*", help=argparse.SUPPRESS)
    collect.set_defaults(as_child=None, seed=1, speed=1.0)

    attach = command("attach", _attach, "the screen on a running collector")
    attach.add_argument("url", nargs="?", metavar="SOCKET", help="path of its socket (else that of the data directory)")

    add_look(attach)

    status = command("status", _status, "is a collector running, and how is it; exit 0 healthy, 1 degraded, 3 none")
    status.add_argument("--json", action="store_true", help="for programs")
    command("stop", _stop, "stop the running collector cleanly")

    add_analyze(command("analyze", _analyze, "one pair, once, in full"))
    add_scan(command("scan", _scan, "every pair of a market, with what chance alone would find"))
    add_export(command("export", _export, "bars, ticks, analytics or alerts out of the store"))
    add_verify(command("verify", _verify, "compare stored bars with the exchange's own; exit 0 equal, 1 different"))
    doctor = command("doctor", _doctor, "terminal, clock, endpoints, configuration, database: what is wrong and what to do")
    doctor.add_argument("--json", action="store_true", help="for programs")
    settings = command("config", _config, "the resolved configuration and where it came from")
    settings.add_argument("action", choices=("show", "path", "check", "init"))
    return parser
