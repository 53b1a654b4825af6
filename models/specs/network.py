"""`ModelSpec`, the options of the network around one parameterization."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from ..choices.fields import require_types
from .mixer import Around, MixerSpec, Mixing, require_around

if TYPE_CHECKING:
    from ..layer import Layer
    from ..network import SequenceModel

DropoutSite = Literal["activation", "residual"]


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """A network around one parameterization; the sizes of its input and output come with the data, see `build`."""

    version: ClassVar[int] = 1

    mixer: MixerSpec
    d_model: int = 128
    n_layers: int = 4
    norm: Literal["layer", "batch"] = "layer"
    prenorm: bool = False
    """Norm before the layer, and once more after the last block; otherwise after each residual sum."""
    dropout: float = 0.0
    dropout_sites: tuple[DropoutSite, ...] = ("activation", "residual")
    """activation: after the GELU; residual: on the branch before the sum. Two sites is state-spaces/s4 v3."""
    dropout_tied: bool = True
    """One mask per sequence and feature, the same at all steps."""
    mixing: Mixing = "glu"
    bidirectional: bool = False
    """Two kernels that share A, B and dt, one for each direction."""
    pool_last: int | None = None
    """Mean over the last k valid steps; None is all of them, 1 is the last step."""

    def __post_init__(self) -> None:
        require_types(self)
        if self.d_model < 1 or self.n_layers < 1:
            raise ValueError(f"d_model and n_layers are at least 1, got {self.d_model} and {self.n_layers}")
        require_around(self.mixing, self.dropout)
        if self.norm not in ("layer", "batch"):
            raise ValueError(f"unknown norm {self.norm!r}; one of: layer, batch")
        if set(self.dropout_sites) - {"activation", "residual"}:
            raise ValueError(f"dropout sites are activation and residual, got {', '.join(self.dropout_sites)}")
        if self.pool_last is not None and self.pool_last < 1:
            raise ValueError(f"pool_last counts steps and is at least 1, got {self.pool_last}")
        if self.bidirectional:
            self.mixer.require_two_way()

    def layer(self) -> Layer:
        """One of the layers."""
        inner = self.dropout if "activation" in self.dropout_sites else 0.0
        around = Around(mixing=self.mixing, dropout=inner, tied=self.dropout_tied, directions=2 if self.bidirectional else 1)
        return self.mixer.build_layer(self.d_model, around)

    def require_engine(self, engine: str) -> None:
        """Raises ValueError unless this engine, or auto, can compute the layers."""
        import torch  # a spec is read without it

        with torch.device("meta"):
            self.layer().require_engine(engine)

    def build(
        self,
        *,
        d_output: int,
        d_input: int | None = None,
        vocab: int | None = None,
        per_step: bool = False,
        two_towers: bool = False,
    ) -> SequenceModel:
        """The network for inputs of `d_input` reals or tokens below `vocab`, and `d_output` classes or targets."""
        from ..network import SequenceModel

        return SequenceModel(self, d_output=d_output, d_input=d_input, vocab=vocab, per_step=per_step, two_towers=two_towers)
