"""The rows of every table: a variant is a name for one parameterization with its paper's settings, at 64 real state dimensions a channel
(LRU: at 256 that all channels share)."""

from __future__ import annotations

from dataclasses import dataclass

from .specs.baselines import FIRSpec, LSTMSpec, TransformerSpec
from .specs.dss import DSSSpec
from .specs.hope import HOPESpec
from .specs.lru import LRUSpec
from .specs.mixer import MixerSpec
from .specs.s4 import S4Spec
from .specs.s4d import S4DSpec


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One row: a spec, what it is in a sentence, and where it comes from."""

    name: str
    mixer: MixerSpec
    about: str
    citation: str
    paper: str = ""
    """Whose published settings the row takes, S4, DSS, S4D or HOPE; without one, those of S4 and S4D, which its recipes say."""
    default: bool = False
    """Among the rows that every comparison runs."""
    second_line_of: str = ""
    """The default row that this one repeats at the learning rates of its own paper, where those differ from the common ones."""


S4, DSS, S4D, HOPE = "arXiv:2111.00396", "arXiv:2203.14343", "arXiv:2206.11893", "arXiv:2405.13975"

VARIANTS: dict[str, Variant] = {
    v.name: v
    for v in (
        Variant(name="s4", paper="S4", mixer=S4Spec(), about="HiPPO-LegS, diagonal plus low rank, bilinear", citation=S4, default=True),
        Variant(
            name="dss-exp",
            paper="DSS",
            mixer=DSSSpec(kernel="exp"),
            about="complex modes without conjugates, ZOH scale",
            citation=DSS,
            default=True,
        ),
        Variant(
            name="dss-softmax",
            paper="DSS",
            mixer=DSSSpec(kernel="softmax"),
            about="rows normalized over the length",
            citation=DSS,
            default=True,
        ),
        Variant(name="s4d-legs", paper="S4D", mixer=S4DSpec(init="legs"), about="normal part of HiPPO-LegS", citation=S4D, default=True),
        Variant(name="s4d-inv", paper="S4D", mixer=S4DSpec(init="inv"), about="inverse law of frequencies", citation=S4D, default=True),
        Variant(name="s4d-lin", paper="S4D", mixer=S4DSpec(init="lin"), about="linear law of frequencies", citation=S4D, default=True),
        Variant(
            name="hope", paper="HOPE", mixer=HOPESpec(), about="Markov parameters of a Hankel operator, causal", citation=HOPE, default=True
        ),
        Variant(
            name="s4-fout", paper="S4", mixer=S4Spec(init="fout"), about="HiPPO-FouT, diagonal plus low rank", citation="arXiv:2206.12037"
        ),
        Variant(name="s4d-inv2", paper="S4D", mixer=S4DSpec(init="inv2"), about="second inverse law", citation=S4D),
        Variant(name="s4d-quad", paper="S4D", mixer=S4DSpec(init="quad"), about="quadratic law of frequencies", citation=S4D),
        Variant(name="s4d-real", paper="S4D", mixer=S4DSpec(init="real", real=True), about="real modes -(n+1)", citation=S4D),
        Variant(name="s4d-rand", paper="S4D", mixer=S4DSpec(init="rand"), about="Re = -1/2, Im = exp(N(0,1))", citation=S4D),
        Variant(
            name="hope-circular",
            paper="HOPE",
            mixer=HOPESpec(filter="circular"),
            about="Algorithm 1 to the letter, wraps around",
            citation=HOPE,
        ),
        Variant(
            name="hope-twosided",
            paper="HOPE",
            mixer=HOPESpec(filter="twosided"),
            about="two-sided filter of the authors' last release, not causal",
            citation=HOPE + " (code of Aug 2024)",
        ),
        Variant(
            name="hope-paper-rates",
            second_line_of="hope",
            paper="HOPE",
            mixer=HOPESpec(lr_h=None),
            about="hope with h at the network's rate, as in experiment I",
            citation=HOPE,
        ),
        Variant(
            name="dss-exp-paper-rates",
            second_line_of="dss-exp",
            paper="DSS",
            mixer=DSSSpec(kernel="exp", lr_W=1e-3),
            about="dss-exp with W at 0.001 without decay, as in the authors' code",
            citation=DSS,
        ),
        Variant(
            name="dss-softmax-paper-rates",
            second_line_of="dss-softmax",
            paper="DSS",
            mixer=DSSSpec(kernel="softmax", lr_W=1e-3),
            about="dss-softmax with W at 0.001 without decay, as in the authors' code",
            citation=DSS,
        ),
        Variant(
            name="lru",
            mixer=LRUSpec(),
            about="one recurrence of 128 complex modes for all channels, eigenvalues on a ring",
            citation="arXiv:2303.06349",
        ),
        Variant(name="fir", mixer=FIRSpec(), about="a free kernel of 64 taps", citation="for scale"),
        Variant(name="lstm", mixer=LSTMSpec(), about="recurrent gates", citation="for scale"),
        Variant(name="transformer", mixer=TransformerSpec(), about="attention over all steps, both ways", citation="for scale"),
    )
}

DEFAULT_VARIANTS: tuple[str, ...] = tuple(name for name, v in VARIANTS.items() if v.default)
