"""python -m ssm_suite benchmarks|ablations|reports|data ...: what `python -m benchmarks ...` is in the checkout."""

from __future__ import annotations

import runpy
import sys

from ssm_suite import COMMANDS, on_path


def main() -> None:
    """Hands over to the command, which ends the process with its exit code."""
    words = sys.argv[1:]
    if not words or words[0].split(".")[0] not in COMMANDS:
        print(f"error: usage: python -m ssm_suite {'|'.join(COMMANDS)} ... (--help after each)", file=sys.stderr)
        sys.exit(2)
    on_path()
    sys.argv = [words[0], *words[1:]]
    runpy.run_module(words[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
