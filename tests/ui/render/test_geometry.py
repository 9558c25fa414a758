import pytest

from quantui.ui.render.geometry import NOTICE_LIMIT, Rect, arrange, fits, plan

SIZES = [(60, 16), (79, 23), (80, 24), (100, 30), (120, 40), (119, 33), (200, 50), (250, 70), (180, 44), (1000, 400)]


def overlap(a: Rect, b: Rect) -> bool:
    return a.x < b.x + b.width and b.x < a.x + a.width and a.y < b.y + b.height and b.y < a.y + a.height


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("notice", [0, 1, 3, 50])
def test_panels_lie_inside_and_never_on_each_other(width: int, height: int, notice: int) -> None:
    panels = list(arrange(width, height, notice).items())
    for index, (name, rect) in enumerate(panels):
        assert rect.width > 0, name
        assert rect.height > 0, name
        assert rect.x >= 0, name
        assert rect.x + rect.width <= width, name
        assert rect.y + rect.height <= height, name
        for other, second in panels[index + 1 :]:
            assert not overlap(rect, second), (name, other)


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40), (200, 50)])
def test_z_is_the_largest_panel(width: int, height: int) -> None:
    panels = arrange(width, height)
    area = {name: rect.width * rect.height for name, rect in panels.items()}
    each_spark = area.pop("spark-plot") / plan(width, height).sparks
    z = area.pop("z-plot")
    assert z > max(each_spark, *area.values())


def test_each_class_of_size_has_a_layout_of_its_own() -> None:
    assert len({plan(*size) for size in [(60, 16), (80, 24), (120, 40), (200, 50)]}) == 4
    assert arrange(80, 24)["pairs"].y > arrange(80, 24)["z-plot"].y
    assert arrange(200, 50)["pairs"].x > arrange(200, 50)["z-plot"].x


def test_the_notice_takes_rows_but_not_all() -> None:
    assert "notice" not in arrange(80, 24)
    assert arrange(80, 24, 50)["notice"].height == NOTICE_LIMIT
    assert arrange(80, 24, 2)["price"].y == 3


@pytest.mark.parametrize(("size", "expected"), [((60, 16), True), ((59, 16), False), ((60, 15), False), ((1, 1), False)])
def test_below_60x16_nothing_fits(size: tuple[int, int], *, expected: bool) -> None:
    assert fits(*size) is expected
