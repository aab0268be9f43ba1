"""The way in, for the `aos-server` script and for `python -m aos_server`."""

import sys


def main() -> int:
    """Run the command line and return its exit status."""
    from aos_server.cli.app import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
