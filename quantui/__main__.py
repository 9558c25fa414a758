"""`python -m quantui` and the `quantui` command."""

import gc
import os
import sys


def main() -> None:
    """Run the command line and exit with its code."""
    # One thread for the small matrices here: more only fight each other, and the event loop, for two cores.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    gc.disable()  # nothing imported is garbage: looking for it delays the first paint
    from quantui.cli import run

    gc.freeze()
    gc.enable()
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
