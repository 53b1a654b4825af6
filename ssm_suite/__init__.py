"""The door to the suite for projects that have packages of the same names: models, data, benchmarks, ablations, reports.

`pip install` of the checkout gives an environment two names: `ssm_layers`, the layers alone, and `ssm_suite`, the folder that holds those
five. Nothing else is importable, so that nothing of a project is hidden or hides anything.

    python -m ssm_suite benchmarks digits-noise --variant s4d-lin      the commands, in a process of their own
    import ssm_suite; ssm_suite.on_path()                              the packages in this process, where it has none of these names
    from benchmarks import load
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

COMMANDS: Final = ("benchmarks", "ablations", "reports", "data")
PACKAGES: Final = ("models", *COMMANDS)


def root() -> Path:
    """The folder that holds the packages: this one where the suite is installed, the checkout otherwise."""
    here = Path(__file__).resolve().parent
    return here if (here / "benchmarks").is_dir() else here.parent


def on_path() -> None:
    """Lets this process import the packages of the suite by their own names. Raises ImportError where it has imported others so called."""
    home = root()
    for name in PACKAGES:
        file = getattr(sys.modules.get(name), "__file__", None)
        if name in sys.modules and (file is None or Path(file).resolve().parent.parent != home):
            raise ImportError(f"this process has imported another package {name!r}; run the suite as `python -m ssm_suite ...` beside it")
    if str(home) in sys.path:
        sys.path.remove(str(home))
    sys.path.insert(0, str(home))
