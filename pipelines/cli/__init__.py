"""The command line: parse, call the modules beside this package, print, choose the exit code."""

from typing import Never


def main() -> Never:
    """Run the command line."""
    from pipelines.cli.app import run

    run()
