"""The kernel grid: the Vandermonde kernel of S4D against the softmax of DSS, with B trained or frozen. After 2206.11893, sec. 5.1."""

from __future__ import annotations

from typing import Final

from ablations.grid import NO_CHOICE, Ablation
from benchmarks.changes import Changes

DSS: Final = {"exp": "dss-exp", "exp, no scale": "dss-exp", "softmax": "dss-softmax"}
OWN: Final[dict[str, Changes]] = {"exp": {}, "exp, no scale": {"mixer.kernel": "exp-no-scale"}, "softmax": {}}
RATES: Final[dict[str, Changes]] = {"network's": {}, "0.001": {"mixer.lr_W": 1e-3}}

KERNEL: Final = Ablation(
    name="kernel",
    title="Vandermonde or softmax kernel",
    about=(
        "The kernels of S4D and of DSS over the same 32 complex modes. S4D's is a Vandermonde product with the conjugates implied, B "
        "trained or frozen at its init; those of DSS take the real part of the modes alone, merge B and C into W, and scale each row by "
        "zero-order hold (exp), not at all, or by a softmax over the length. Frozen B and DSS-exp are the same family of kernels. W is "
        "trained at the network's rate with its decay, as C is in S4D, or at 0.001 without, as in the DSS paper's code. All else is the "
        "recipe."
    ),
    benchmark="digits-noise",
    factors=("kernel", "init", "B", "rate of C or W"),
    columns="rate of C or W",
    rows={
        **{
            ("Vandermonde", init, word, "network's"): {"mixer.init": init, "mixer.train_B": word == "trained"}
            for init in ("legs", "inv", "lin")
            for word in ("trained", "frozen")
        },
        **{
            (kernel, "legs", NO_CHOICE, rate): {"variant": variant, **OWN[kernel], **RATES[rate]}
            for kernel, variant in DSS.items()
            for rate in RATES
        },
        **{("softmax", "normal", NO_CHOICE, rate): {"variant": "dss-softmax", "mixer.init": "randn", **RATES[rate]} for rate in RATES},
    },
    margin=0.01,
)
