"""The report on speed: the newest session of `python -m benchmarks.speed` on each device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.cli import UsageError
from benchmarks.running.store import Store
from benchmarks.speed.record import FOLDER, Session, newest
from reports.parts.frame import machine_of
from reports.parts.report import Report
from reports.request import Request, command
from reports.sections.speed import Shown, compose_earlier, compose_speed

NAME = "speed"
ABOUT = (
    "Kernels, convolutions, layers, training steps and step mode of every row, beside a plain restatement of the textbook algorithms in "
    "torch (Vandermonde and Cauchy matrices and exponentials written out, FFT convolution, autograd) under the same allocation. Times are "
    "medians of at least five runs after a warm-up, a run of each code in turn; they hold for this machine, the ratios for more."
)


@dataclass(frozen=True, kw_only=True)
class SpeedRequest(Request):
    """The report on speed, whose records are sessions and not runs."""

    def answer(self, store: Store) -> Report:
        return report_speed(sessions(store), make=command(self.words))

    def documents(self, store: Store) -> Mapping[str, Path]:
        found = newest(_folders(store))
        if not found:
            raise UsageError(NOTHING)
        return {f"{FOLDER}/{_place(session)}.json": path for path, session in found}


def request_speed() -> SpeedRequest:
    """The report; it takes no choice."""
    return SpeedRequest(name=NAME, words=(NAME,), expected=(), build=lambda _: report_speed((), make=command((NAME,))))


def sessions(store: Store) -> list[Session]:
    """The sessions that the report shows."""
    return [session for _, session in newest(_folders(store))]


def _folders(store: Store) -> list[Path]:
    return [root / FOLDER for _, root in store.roots]


def _place(session: Session) -> str:
    """The name of a committed session: one of each device, and one with an older commit beside."""
    return session.name.rsplit("-", 1)[0]


def report_speed(found: Sequence[Session], *, make: str) -> Report:
    """One page for the sessions of all devices."""
    devices = list(dict.fromkeys(str(s.environment.get("device", "")) for s in found))
    sections, warnings = [], []
    for session in found:
        device = str(session.environment.get("device", ""))
        alone = len(devices) == 1
        shown = Shown(session, NAME if alone else f"{NAME}-{device.split(' ')[0]}", "" if alone else f", {device}")
        if session.plan == "base":
            earlier = compose_earlier(shown)
            sections += [earlier] if earlier else []
            continue
        sections += compose_speed(shown)
        if session.plan == "part":
            warnings.append(f"The session on {device} measured a part of the plan only.")
        warnings += _anchor_warning(device, [a for a in session.anchors if a["allocation"] == "as it comes"])
    return Report(
        name=NAME, title="Speed", scale="", about=ABOUT, summary=tuple(map(_summary, (s for s in found if s.plan != "base"))) or (NOTHING,),
        sections=tuple(sections), runs=pd.DataFrame(), labels=(), warnings=tuple(warnings), environment=_environments(found), make=make,
    )  # fmt: skip


def _anchor_warning(device: str, anchors: Sequence[Mapping[str, Any]]) -> list[str]:
    """What it means that the textbook code is slower, or faster, beside its own convolution than the public code was."""
    off = [a for a in anchors if not a["holds"]]
    if not off:
        return []
    taken = " and ".join(f"{a['row']} {a['ratio']:.1f} times as long as a convolution, where it was {a['published']:.1f}" for a in off)
    slower = any(a["ratio"] > a["published"] for a in off)
    begin = (
        f"On {device} the textbook code written here is {'slower' if slower else 'faster'} than the public code was: with memory as it "
        f"comes, kernels take {taken}."
    )
    if slower:
        return [f"{begin} The ratios below flatter ours."]
    ours = " and ".join(f"{a['faster']:.0f}x ({a['row']})" for a in off)
    return [
        f"{begin} The ratios below are low rather than high. Under that allocation, which the public figures were taken under, ours are "
        f"faster by {ours}; all below is measured with memory settled, for both."
    ]


ENVIRONMENT = (
    "code", "dirty", "python", "torch", "platform", "cpu", "device", "threads", "load_at_start", "load_at_end", "allocation", "seconds",
)  # fmt: skip
"""What the page says of where a session was measured."""
NOTHING = "No session yet; `python -m benchmarks.speed` makes one."


def _summary(session: Session) -> str:
    judged = [t for t in session.targets if t["met"] is not None]
    met = sum(bool(t["met"]) for t in judged)
    missed = [str(t["what"]) for t in judged if not t["met"]]
    words = f" Not met: {'; '.join(missed)}." if missed else ""
    return (
        f"On {machine_of(session.environment)}, {str(session.environment.get('date', ''))[:10]}: {met} of {len(judged)} targets met.{words}"
    )


def _environments(found: Sequence[Session]) -> pd.DataFrame:
    return pd.DataFrame([{k: str(s.environment.get(k, "")) for k in ENVIRONMENT} for s in found], columns=list(ENVIRONMENT))
