"""What keys change of the session; a part of the application."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from quantui.ui.choices import Change, Choices


class SessionKeys:
    """Textual finds an action by its name, so each is a method of the app."""

    _choices: "Choices"

    def _change(self, change: "Change") -> None:
        """Pass a change on."""
        raise NotImplementedError  # the app does

    def action_step_pair(self, step: int) -> None:
        """Focus the next or previous pair."""
        self._change(self._choices.pair(step))

    def action_pick_pair(self, index: int) -> None:
        """Focus the pair with this index, where there is one."""
        self._change(self._choices.picked(index))

    def action_step_timeframe(self, step: int) -> None:
        """The next longer or shorter timeframe."""
        self._change(self._choices.timeframe(step))

    def action_step_window(self, step: int) -> None:
        """The next larger or smaller window."""
        self._change(self._choices.window(step))

    def action_step_estimator(self, step: int) -> None:
        """The next or previous way to find the hedge ratio."""
        self._change(self._choices.estimator(step))

    def action_step_entry(self, step: int) -> None:
        """Move the threshold."""
        self._change(self._choices.entry(step))
