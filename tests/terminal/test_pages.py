"""The pages beside the monitor, of the real product on its demo."""

import pytest

from tests.terminal.product import Product, is_filled, wait_until


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (200, 50)])
def test_every_page_is_full_and_a_pair_of_the_scan_is_watched_after_a_restart(product: Product, columns: int, rows: int) -> None:
    terminal = product.screen("demo", columns=columns, rows=rows)
    terminal.wait_for(is_filled, 15)
    for key, shown in (
        ("i", ("Signal:", "z-score", "now ", "robust")),
        ("G", ("p of Engle-Granger at the last", "residuals against")),
        ("c", ("Correlation", "LINK", "--")),
        ("m", ("Statistics", "BTC", "vol/y")),
        ("a", ("Alerts", "silenced by", "log on", "time UTC")),
        ("s", (" tests", "chance", "q BY")),
    ):
        terminal.keys(key)
        text = terminal.wait_for(lambda text, shown=shown: all(part in text for part in shown))  # type: ignore[misc]
        assert all(len(line) <= columns for line in text.split("\n"))
        assert "q back" in text
    terminal.keys("/y=SOL* and x=BTC*\r")
    terminal.wait_for("  1 of ")
    terminal.keys("\r")
    terminal.wait_for("SOLUSDT/BTCUSDT is on the watch list, in focus")
    terminal.keys("q")
    terminal.wait_for(lambda text: "▸5" in text and "SOL/BTC" in text.split("\n", 1)[0])
    terminal.keys("q")
    terminal.wait_exit()
    wait_until(lambda: not product.processes(), 10, product.processes)
    again = product.screen("demo", columns=columns, rows=rows)
    again.wait_for(lambda text: "▸5" in text and "SOL/BTC" in text.split("\n", 1)[0], 15)
    again.keys("q")
    again.wait_exit()


def test_each_estimator_is_named_and_has_its_numbers(product: Product) -> None:
    terminal = product.screen("demo")
    terminal.wait_for(is_filled, 15)
    for name in ("HUBER", "THEIL", "TLS", "RETURNS", "DOLS", "JOHANS", "KALMAN", "OLS"):
        terminal.keys("b")
        terminal.wait_for(lambda text, name=name: f" {name} " in text.split("\n", 1)[0] and "β" in text and "warming" not in text)  # type: ignore[misc]
    terminal.keys("q")
    terminal.wait_exit()
