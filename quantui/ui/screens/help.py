"""Help: what each panel shows, how it is computed and read, and every key."""

from typing import ClassVar, Final

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from quantui.ui.keys import Keys

PANELS: Final = """\
Status line
Left: state of the connection, venue, pair Y/X, timeframe, window, estimator. Right: age of the last trade of the pair
by exchange time; lag, the median delay from the exchange to here; skew, local clock minus exchange clock; gaps, holes
in the trades not yet filled (+lost: could not be filled); cert, share of closed bars found equal to the exchange's
own (!n: n differ).

Price
Latest trade of both legs; the arrow is the change over the window. With more room: that change, volatility a year
(365 days), best ask over best bid in basis points, and the funding rate of perpetuals.

Regression
y = alpha + beta x on the natural logs of the last W closed bars. beta is the hedge ratio, with its standard error; R2
its fit; corr the Pearson correlation of the log returns; s the spread y - alpha - beta x now, with its standard
deviation, both in basis points (1 bp is 0.01 %) where logs are used. `b` changes how beta is found, the status line
names it: OLS least squares; HUBER and THEIL (Theil-Sen), little moved by wild bars; TLS, the same whichever leg is y; RETURNS,
from log returns; DOLS and JOHANS (Johansen), for legs that are cointegrated; KALMAN, a beta that drifts: there s is what the bar
before did not expect, z is that in its own standard deviations, and there is no preview. TLS and Theil-Sen have no
standard error. Engle-Granger always tests the least-squares line.

Stationarity
EG: Engle-Granger test on the residuals (MacKinnon p); a tick means the pair is cointegrated at the gate's level. ADF:
Dickey-Fuller on the spread; on residuals it is too lenient, so EG decides. t1/2: half-life of the spread in bars,
always with its small-sample interval: a wide one says the number means little.

Alerts
armed, or the signal in force. An alert fires once when |z| reaches the threshold and the gates pass; it is armed
again after |z| has come back. A gate that fails is named with its value and its limit. Chance: the alerts a day that
two coins which have nothing to do with each other would give at this threshold, before gates. Max: the largest |z|
that this window can show.

Sparklines
Closes of Y and X, the spread and the correlation, one point a closed bar, the newest at the right; the last point is
the forming bar. Each line has its own scale.

z-score
How many standard deviations the spread is from its mean over the window. Above the upper line Y is dear against X:
SHORT the spread (sell Y, buy beta X); below the lower one LONG. The preview is the forming bar; only closed bars fire
alerts.

Pairs
Each watched pair: z, signal, tick where cointegrated, p of Engle-Granger. n/N: that many bars of those needed.

Scanner
Every ordered pair of the watched symbols, tested at each closed bar of a minute or longer. p is Engle-Granger's; of many
tests some are low by chance alone, so q says which share of the pairs up to this one to expect to be false (q BY: under any
dependence). z, t1/2 and beta as on the monitor, by least squares. Under w, a tick: on the watch list. A filter compares columns:
q p z half_life corr beta r2 eg lags q_by, and y x pair with `*`; a row that lacks a number it needs is not shown.

Pair in detail
Everything `quantui analyze` says of the pair in focus, with one line for each test: what it says, how sure, and what it does
not say. Below: beta with its band, p over time, and residuals against a normal distribution.

Chart
One column a bar, closed bars only, the newest at the right: candles of y, of x, or both legs in percent of the left edge (x
changes), their volume, then z with its thresholds, the spread s and beta as they were published at each bar. A falling
candle's body is a double line. h and l move the crosshair; the second line tells everything there. The arrows above mark
the bars an alert was about.

Health
Whether what you see can be trusted: open holes, what was read back or lost, bars proven against the exchange's own, how
late messages come, what may still be asked of the exchange, memory, and the bytes this screen sends to your terminal.

Correlations
Pearson correlation of log returns over the window, in hundredths; symbols that move together stand side by side.

Statistics
One row a symbol over the window. range/y is the volatility from high and low, CV how uneven the turnover is.

Log
Alerts and what happened to the data, newest first, in UTC. `!` marks what came while this screen was looking.

Too little data
is shown as n/N or with its reason, never as 0.
"""
"""Blocks divided by blank lines; the first line of each is the panel it explains."""


def help_text(keys: Keys) -> Text:
    """The whole text, from the panels above and the list of actions."""
    text = Text()
    text.append("Keys\n", "bold")
    for action in keys.actions:
        text.append(f"  {action.shown:<10s}", "bold")
        text.append(f" {action.tooltip}\n")
    text.append("\nKeys of the pages: s scanner, v chart, i pair, c correlations, m statistics, H health\n", "bold")
    for action in keys.page_actions:
        text.append(f"  {action.shown:<10s}", "bold")
        text.append(f" {action.tooltip}\n")
    text.append("  Shift+drag selects text in most terminals.\n")
    for block in PANELS.split("\n\n"):
        title, *body = block.split("\n")
        text.append(f"\n{title}\n", "bold")
        text.append(" ".join(body).strip() + "\n")
    return text


class HelpScreen(ModalScreen[None]):
    """Scrolls; any of its keys closes it."""

    CSS_PATH = "help.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1,space", "dismiss", "Close", id="help-close"),
        Binding("j", "scroll(1)", "Down", id="help-down"),
        Binding("k", "scroll(-1)", "Up", id="help-up"),
        Binding("ctrl+c", "app.quit", "Quit", id="help-quit"),
    ]

    def __init__(self, keys: Keys) -> None:
        super().__init__()
        self._keys = keys

    def compose(self) -> ComposeResult:
        """One scrolling text."""
        with VerticalScroll(id="help"):
            yield Static(help_text(self._keys), markup=False)

    def on_mount(self) -> None:
        """Say how to leave."""
        panel = self.query_one("#help")
        panel.border_title = "Help"
        panel.border_subtitle = "arrows, j, k scroll   q, esc close"
        panel.focus()

    def action_scroll(self, step: int) -> None:
        """One row up or down."""
        self.query_one("#help").scroll_relative(y=step, animate=False)
