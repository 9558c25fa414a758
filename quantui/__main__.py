"""`python -m quantui` and the `quantui` command."""

import os
import sys

from quantui import splash


def main() -> None:
    """Run the command line and exit with its code."""
    if not splash.show(sys.argv[1:], os.environ):
        from quantui.ui import opening

        opening.show(sys.argv[1:], os.environ)
    import gc

    # One thread for the small matrices here: more only fight each other, and the event loop, for two cores.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    gc.disable()  # nothing imported is garbage: looking for it delays the first paint
    from quantui.cli import run

    gc.freeze()
    gc.enable()
    try:
        code = run(sys.argv[1:])
    finally:
        splash.end()
    sys.exit(code)


if __name__ == "__main__":
    main()
