"""What each panel and page shows, how that is computed, how it is read, and what it does not say."""

from typing import Final, NamedTuple


class About(NamedTuple):
    """The help of one panel or page."""

    title: str
    hint: str
    """In the table of contents, behind the title."""
    shows: str
    computed: str
    read: str
    not_said: str

    @property
    def parts(self) -> tuple[tuple[str, str], ...]:
        """Its paragraphs, each under its name."""
        names = ("Shows", "Computed", "Read it", "Does not say")
        return tuple(zip(names, (self.shows, self.computed, self.read, self.not_said), strict=True))


ABOUT: Final[dict[str, About]] = {
    "status": About(
        "Status line",
        "",
        "Left: state of the connection, venue, pair Y/X, timeframe, window W in bars, estimator. Right: age of the last"
        " trade of the pair, lag, skew, open gaps, share certified.",
        "age: by exchange time. lag: median delay from the exchange to here. skew: local clock minus exchange clock."
        " gaps: holes in the trades that are not filled yet (+lost: could not be). cert: share of closed bars found equal"
        " to the exchange's own.",
        "LIVE with gaps 0 and cert 100 % is data to act on. !n behind cert: n bars differ from the exchange's.",
        "How the other symbols are: H has a row for each.",
    ),
    "price": About(
        "Price",
        "change, volatility",
        "Latest trade of both legs; with more room the change and the volatility, the bid-ask and the funding of perpetuals.",
        "Change: last price against the first close of the window. Volatility: standard deviation of log returns a year"
        " of 365 days. Bid-ask in basis points of the mid.",
        "The arrow is the sign of the change over the window, not of the last trade.",
        "What a large order would pay: that is in the depth of the book.",
    ),
    "regression": About(
        "Regression",
        "hedge ratio, spread",
        "beta, the hedge ratio, with its standard error; R2; corr, the correlation of log returns; s, the spread now,"
        " with its standard deviation (in bp, 0.01 %, where logs are used); alpha.",
        "y = alpha + beta x on the natural logs of the last W closed bars; s = y - alpha - beta x. `b` changes how beta"
        " is found: OLS least squares; HUBER, THEIL (Theil-Sen): little moved by wild bars; TLS: the same whichever leg is"
        " y; RETURNS: from log returns; DOLS, JOHANS (Johansen): for cointegrated legs; KALMAN: a beta that drifts, there"
        " s is what the bar before did not expect and z is that in its own standard deviations, without a preview. TLS"
        " and Theil-Sen have no standard error.",
        "Short the spread: sell 1 of y, buy beta of x, by value. A beta whose error is not small against it hedges little.",
        "That the legs belong together: two unrelated trends have a high R2 as well. Stationarity tests that.",
    ),
    "stationarity": About(
        "Stationarity",
        "EG, ADF, half-life",
        "EG: Engle-Granger test of cointegration; ADF: Dickey-Fuller on the spread, each with its p; t1/2: half-life of"
        " the spread in bars with its interval; the lags used.",
        "EG tests the residuals of the least-squares line with MacKinnon's p values; lags by AIC. ADF tests the same"
        " series as if beta were known. t1/2 from an AR(1) of the spread, the interval by its small-sample distribution.",
        "A tick: cointegrated at the gate's level. Where ADF and EG differ, believe EG: on residuals ADF is too lenient."
        " A half-life much shorter than the window, with a narrow interval, is one to trade.",
        "That the pair stays cointegrated: of 100 unrelated pairs about 5 pass at p = .05. The scanner corrects for many tests.",
    ),
    "alerts": About(
        "Alerts",
        "threshold, gates",
        "Whether the rule is armed or which signal is in force, its threshold, the gates, what chance alone would give,"
        " the last alert.",
        "Fires once when |z| of a closed bar reaches the threshold and the gates pass; armed again after |z| has come"
        " back. Chance: alerts a day that two unrelated coins would give at this threshold, before gates. Max: the largest"
        " |z| this window can show.",
        "`+` and `-` move the threshold. A gate that fails is named with its value and its limit.",
        "That an alert is a profit: costs, funding and a broken relation are not in it.",
    ),
    "spark": About(
        "Sparklines",
        "closes, spread, corr",
        "Closes of y and x, the spread and the correlation; the newest at the right.",
        "One point a closed bar, as it was published at that bar; the last point is the forming bar. Each line has its own scale.",
        "Compare shapes, not heights.",
        "Levels: `v` draws the chart with its axis.",
    ),
    "z": About(
        "z-score",
        "signal",
        "How many standard deviations the spread is from its mean, with the threshold above and below.",
        "(s - mean) / standard deviation over the window, at each closed bar with the numbers of that bar. The preview is"
        " the forming bar; only closed bars fire alerts.",
        "Above the upper line y is dear against x: SHORT the spread (sell y, buy beta x); below the lower one LONG.",
        "When it comes back, or whether: half-life and gates speak of that.",
    ),
    "pairs": About(
        "Pairs",
        "watch list",
        "Each watched pair: z, signal, tick where cointegrated, p of Engle-Granger. n/N: that many bars of those needed.",
        "As for the pair in focus, at the newest closed bar, with the same timeframe, window and estimator.",
        "`n`, `p`, a digit or `/` and a part of the name put a pair in focus.",
        "How many of them are low by chance: `s` scans all pairs and says so.",
    ),
    "log": About(
        "Log",
        "alerts, events",
        "Alerts and what happened to the data, newest first. `!` marks what came while this screen was looking.",
        "By exchange time. Each alert is written once, also across restarts.",
        "A line of an alert has z, correlation and p of its bar.",
        "Every detail: `e` or `quantui export alerts` writes all fields.",
    ),
    "scan": About(
        "Scanner",
        "all pairs",
        "Every ordered pair of the symbols, tested at each closed bar of a minute or longer.",
        "p is Engle-Granger's. q: share of the pairs up to this one to expect to be false (Benjamini-Hochberg; q BY:"
        " under any dependence). z, t1/2 and beta by least squares.",
        "Of many tests some p are low by chance alone: go by q. A filter compares columns: q p z half_life corr beta r2"
        " eg lags q_by, and y x pair with `*`; a row that lacks a number it needs is not shown. Under w, a tick: on the"
        " watch list.",
        "That a pair with a low q will hold tomorrow.",
    ),
    "chart": About(
        "Chart",
        "candles, z, beta",
        "Candles of y, of x, or both legs in percent of the left edge (x changes), their volume, then z with its"
        " thresholds, the spread s and beta.",
        "One column a bar, closed bars only, the newest at the right; z, s and beta as they were published at each bar.",
        "A falling candle's body is a double line. h and l move the crosshair; the second line tells everything there."
        " The arrows above mark the bars an alert was about.",
        "What happened inside a bar.",
    ),
    "pair": About(
        "Pair in detail",
        "every test",
        "Everything `quantui analyze` says of the pair in focus; below, beta with its band, p over time, and residuals"
        " against a normal distribution.",
        "On the window's closed bars; each line names its test.",
        "One line for each test: what it says, how sure, and what it does not say.",
        "A verdict on the whole: tests disagree, and the lines say why.",
    ),
    "correlation": About(
        "Correlations",
        "heat map",
        "Correlation of each pair of symbols, in hundredths.",
        "Pearson, of log returns over the window; symbols that move together stand side by side.",
        "High correlation is a beginning, not a signal.",
        "Cointegration: two series may move together each minute and part for good.",
    ),
    "statistics": About(
        "Statistics",
        "each symbol",
        "One row a symbol over the window.",
        "range/y: volatility from high and low (Parkinson). CV: how uneven the turnover is. The line below the table"
        " names the rest.",
        "Compare legs before trading them: turnover, bid-ask, volatility.",
        "The depth behind the best prices.",
    ),
    "alerting": About(
        "Alerts in full",
        "rules, channels, history",
        "The rules with their levels and gates, the channels with what they sent, failed to send or dropped, each watched pair"
        " with what its rule waits for, and the last 200 alerts and events.",
        "Each pair at its newest closed bar, by the rule's own memory. By chance: as many alerts a day as unrelated coins"
        " would give; expectations of several pairs add up. Orders: shares of the capital of both legs, at the closes of the bar.",
        "armed: fires when |z| gets to the threshold. fired: has spoken, waits for |z| to come back. blocked: a gate that"
        " silences fails. trade: open by the rule's own account, until |z| is at the exit.",
        "What you hold: nothing is traded here. Nor whether a bell was heard.",
    ),
    "health": About(
        "Health",
        "feed, lag, bytes",
        "Open holes, what was read back or lost, bars proven against the exchange's own, how late messages come, what may"
        " still be asked of the exchange, memory, and the bytes this screen sends to your terminal.",
        "Lateness is by the exchange's clock, the difference of the clocks taken out.",
        "Whether what you see can be trusted: lost 0 and differ 0.",
        "Why the exchange is slow.",
    ),
}
"""By the name of the panel or the page; panels of the monitor first."""

LAST: Final = "Too little data is shown as n/N or with its reason, never as 0. Shift+drag selects text in most terminals."
