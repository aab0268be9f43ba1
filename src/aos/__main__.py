"""The way in, for the `aos` script and for `python -m aos`."""

import os
import sys


def main() -> int:
    """Run the command line and return its exit status."""
    # OpenBLAS reads these once, when numpy loads, and would start a thread per core for work that the
    # engine never gives it. What the caller has set stays.
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(name, "1")

    from aos import cli

    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
