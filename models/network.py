"""SequenceModel: encoder, residual blocks, pooling, decoder; and the same network one step at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from .layer import Dropout, Layer, LayerState, NoRecurrence, require_rate
from .specs.network import ModelSpec


class Norm(nn.Module):
    """LayerNorm over the features, or BatchNorm over the valid steps of the batch; on (..., H)."""

    def __init__(self, d_model: int, kind: str) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(d_model) if kind == "layer" else nn.BatchNorm1d(d_model)

    def forward(self, x: Float[Tensor, "*batch H"], mask: Float[Tensor, "*batch 1"] | None = None) -> Float[Tensor, "*batch H"]:
        """Where statistics are taken over a batch, steps with mask = 0 take no part in them, and become 0."""
        rows = x.reshape(-1, x.shape[-1])
        if mask is None or not self.training or isinstance(self.norm, nn.LayerNorm):
            return self.norm(rows).view(x.shape)
        valid = mask.reshape(-1).nonzero().squeeze(-1)
        y = self.norm(rows[valid])
        return torch.zeros_like(rows, dtype=y.dtype).index_copy(0, valid, y).view(x.shape)


class Block(nn.Module):
    """x + Dropout(Layer(Norm x)) with prenorm, Norm(x + Dropout(Layer x)) without."""

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__()
        self.layer = spec.layer()
        self.dropout = Dropout(spec.dropout if "residual" in spec.dropout_sites else 0.0, spec.dropout_tied)
        self.norm = Norm(spec.d_model, spec.norm)
        self.prenorm = spec.prenorm

    def forward(self, x: Float[Tensor, "B L H"], mask: Float[Tensor, "B L 1"] | None, rate: float) -> Float[Tensor, "B L H"]:
        x = x + self.dropout(self.layer(self.norm(x, mask) if self.prenorm else x, mask, rate))
        return x if self.prenorm else self.norm(x, mask)

    def stream(self, x: Float[Tensor, "B L H"], state: LayerState) -> tuple[Float[Tensor, "B L H"], LayerState]:
        """A piece of a sequence, as `forward` in the mode that the block is in, and the state after it."""
        y, state = self.layer.stream(self.norm(x) if self.prenorm else x, state)
        x = x + self.dropout(y)
        return (x if self.prenorm else self.norm(x)), state

    def step(self, x: Float[Tensor, "B H"], state: LayerState) -> tuple[Float[Tensor, "B H"], LayerState]:
        """One step in evaluation mode."""
        y, state = self.layer.step(self.norm(x) if self.prenorm else x, state)
        x = x + y
        return (x if self.prenorm else self.norm(x)), state


@dataclass(frozen=True)
class ModelState:
    """The state of a network between steps or pieces: one per layer, and what the pooling still needs."""

    layers: tuple[LayerState, ...]
    recent: tuple[Tensor, ...]
    """Features of the last pool_last steps; with pool_last None only their running sum."""
    steps: int

    def detach(self) -> ModelState:
        """The same state, from which no gradient flows back: where truncated training cuts a sequence."""
        return ModelState(tuple(s.detach() for s in self.layers), tuple(h.detach() for h in self.recent), self.steps)


Lengths = Tensor | Sequence[int]
"""The valid steps of each sequence."""


def step_mask(lengths: Int[Tensor, " B"], L: int, device: torch.device) -> Float[Tensor, "B L 1"]:
    """1 on the first lengths[b] steps, 0 on the padding, on `device`. Raises ValueError for a length outside [1, L]."""
    if int(lengths.min()) < 1 or int(lengths.max()) > L:
        raise ValueError(f"lengths lie in [1, {L}], got {int(lengths.min())} to {int(lengths.max())}")
    lengths = lengths.to(device, non_blocking=True)  # not before they were looked at: nobody waits for lengths that are still on the CPU
    return (torch.arange(L, device=device) < lengths.unsqueeze(1)).float().unsqueeze(-1)


def pool(x: Float[Tensor, "B L H"], mask: Float[Tensor, "B L 1"] | None, last: int | None) -> Float[Tensor, "B H"]:
    """The mean over the last `last` valid steps of each sequence (None: over all of them)."""
    L = x.shape[1]
    if mask is None:
        return x[:, -min(last, L) if last else 0 :].mean(1)
    if last is not None:
        remaining = mask.flip(1).cumsum(1).flip(1)  # valid steps from here on
        mask = mask * (remaining <= last)
    return (x * mask).sum(1) / mask.sum(1)


class TwoTowerHead(nn.Module):
    """Head for pairs: [u, v, u - v, u v] -> H -> classes, both documents through the same network (LRA Retrieval)."""

    def __init__(self, d_model: int, d_output: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(4 * d_model, d_model)
        self.out = nn.Linear(d_model, d_output)

    def forward(self, pair: Float[Tensor, "P H"]) -> Float[Tensor, "B O"]:
        """`pair` holds 2B rows, the two documents of a pair one after the other."""
        u, v = pair[0::2], pair[1::2]
        return self.out(nn.functional.gelu(self.hidden(torch.cat([u, v, u - v, u * v], dim=-1))))


class SequenceModel(nn.Module):
    """Encoder -> n_layers residual blocks -> pooling -> decoder. No positional encoding: position is implicit in the convolution."""

    def __init__(self, spec: ModelSpec, *, d_output: int, d_input: int | None, vocab: int | None, per_step: bool, two_towers: bool) -> None:
        super().__init__()
        if (d_input is None) == (vocab is None):
            raise ValueError("give either d_input (real vectors) or vocab (token ids), and not both")
        if per_step and (two_towers or spec.pool_last is not None):
            raise ValueError("a decoder per step does not pool: it goes with neither two_towers nor pool_last")
        sizes = {"d_output": d_output, "d_input": d_input, "vocab": vocab}
        if impossible := [f"{name}={size}" for name, size in sizes.items() if size is not None and size < 1]:
            raise ValueError(f"a network has inputs and outputs, at least one each; got {', '.join(impossible)}")
        H = spec.d_model
        self.spec, self.d_output, self.per_step, self.two_towers = spec, d_output, per_step, two_towers
        self.d_input, self.vocab = d_input, vocab
        self.encoder: nn.Module = nn.Embedding(vocab, H) if vocab is not None else nn.Linear(d_input or 0, H)
        self.blocks = nn.ModuleList(Block(spec) for _ in range(spec.n_layers))
        self.norm = Norm(H, spec.norm) if spec.prenorm else nn.Identity()
        self.decoder: nn.Module = TwoTowerHead(H, d_output) if two_towers else nn.Linear(H, d_output)

    def _each_block(self) -> list[Block]:
        return cast("list[Block]", list(self.blocks))  # a ModuleList does not say what it holds

    @property
    def layers(self) -> list[Layer]:
        """What fills each block, the first first."""
        return [block.layer for block in self._each_block()]

    def require_input(self, x: Tensor) -> None:
        """Raises ValueError unless x has the axes that `forward` asks for, none of them empty, and numbers of the right kind."""
        axes = [
            "batch",
            *(["2 documents"] if self.two_towers else []),
            "steps",
            *([] if self.d_input is None else [f"{self.d_input} features"]),
        ]
        fits = x.ndim == len(axes) and self.d_input in (None, x.shape[-1]) and not (self.two_towers and x.shape[1] != 2)
        if not fits or 0 in x.shape:
            raise ValueError(f"this network takes ({', '.join(axes)}) with at least one sequence and one step; got shape {tuple(x.shape)}")
        if self.vocab is not None and x.dtype not in (torch.int32, torch.int64):
            raise ValueError(f"this network takes tokens, whole numbers from 0 to {self.vocab - 1}; got {x.dtype}")

    def require_lengths(self, lengths: Lengths, x: Tensor) -> Int[Tensor, "*batch"]:
        """The lengths as a tensor. Raises ValueError unless they count the steps of each sequence of x."""
        lengths = torch.as_tensor(lengths)
        batch = tuple(x.shape[: 2 if self.two_towers else 1])
        if tuple(lengths.shape) != batch:
            mask = "; a mask of steps counts as lengths = mask.sum(-1)" if lengths.ndim > len(batch) else ""
            raise ValueError(
                f"lengths count the valid steps of each sequence, of shape {batch} here; got shape {tuple(lengths.shape)}{mask}"
            )
        if lengths.is_floating_point() or lengths.dtype == torch.bool:
            raise ValueError(f"lengths count steps, in whole numbers; got {lengths.dtype}")
        return lengths

    def forward(self, x: Tensor, lengths: Lengths | None = None, rate: float = 1.0) -> Tensor:
        """x (B, L, d_input) or tokens (B, L); two towers take (B, 2, L) and lengths (B, 2). Returns (B, d_output) or (B, L, d_output).

        `lengths` counts the valid steps of each sequence; padding follows them and has no influence on the result, nor on the statistics of
        batch norm in training. Raises ValueError for an input, lengths or a rate that cannot be.
        """
        self.require_input(x)
        require_rate(rate)
        lengths = None if lengths is None else self.require_lengths(lengths, x)
        if self.two_towers:
            x, lengths = x.flatten(0, 1), None if lengths is None else lengths.flatten()
        mask = None if lengths is None else step_mask(lengths, x.shape[1], x.device)
        h = self.encoder(x)
        for block in self.blocks:
            h = block(h, mask, rate)
        h = self.norm(h, mask) if self.spec.prenorm else h
        h = h if self.per_step else pool(h, mask, self.spec.pool_last)
        return self.decoder(h.to(next(self.decoder.parameters()).dtype))  # the mask is float32, weights may be of half precision

    def init_state(self, batch: int, length: int = 1, rate: float = 1.0) -> ModelState:
        """The state before the first step. Raises NoRecurrence where a layer has none, with the reason."""
        require_rate(rate)
        if self.two_towers:
            raise NoRecurrence("a two-tower head compares whole documents and cannot be stepped")
        return ModelState(tuple(layer.init_state(batch, length, rate) for layer in self.layers), (), 0)

    def stream(self, x: Tensor, state: ModelState) -> tuple[Tensor, ModelState]:
        """A piece x (B, L, d_input) or (B, L) tokens of a longer sequence: what `forward` gives on the sequence so far, and the next state.

        With a decoder per step that is (B, L, d_output) for the steps of this piece. Gradients flow from piece to piece through the state;
        `state.detach()` cuts them, so that a sequence of any length can be trained on in bounded memory.
        """
        self.require_input(x)
        h, layers = self.encoder(x), []
        for block, layer in zip(self._each_block(), state.layers, strict=True):
            h, layer = block.stream(h, layer)
            layers.append(layer)
        h = self.norm(h)
        state = replace(state, layers=tuple(layers))
        if self.per_step:
            return self.decoder(h), replace(state, steps=state.steps + h.shape[1])
        return self._pooled(state, h)

    def step(self, x: Tensor, state: ModelState) -> tuple[Tensor, ModelState]:
        """One step x (B, d_input) or (B,) tokens: what `forward` gives on the sequence so far, in evaluation mode, and the next state."""
        h, layers = self.encoder(x), []
        for block, layer in zip(self._each_block(), state.layers, strict=True):
            h, layer = block.step(h, layer)
            layers.append(layer)
        h = self.norm(h)
        state = replace(state, layers=tuple(layers))
        if self.per_step:
            return self.decoder(h), replace(state, steps=state.steps + 1)
        return self._pooled(state, h.unsqueeze(1))

    def _pooled(self, state: ModelState, h: Float[Tensor, "B L H"]) -> tuple[Tensor, ModelState]:
        """The decoder on the mean of the last steps, those of `state` and of h together, and the state with them."""
        last, steps = self.spec.pool_last, state.steps + h.shape[1]
        if last is None:
            total = sum(state.recent, h.sum(1))
            return self.decoder(total / steps), replace(state, recent=(total,), steps=steps)
        recent = (*state.recent, *h.unbind(1))[-last:]
        return self.decoder(torch.stack(recent).mean(0)), replace(state, recent=recent, steps=steps)

    def use_engine(self, engine: str) -> None:
        """Compute every layer with this engine from now on; auto is the choice by table (`models.engines`). Raises ValueError where a layer
        cannot use it, and then leaves all as it was."""
        for layer in self.layers:
            layer.require_engine(engine)
        for layer in self.layers:
            layer.use_engine(engine)

    @property
    def engines_used(self) -> tuple[str, ...]:
        """The engines that have computed a layer so far, in alphabetical order."""
        return tuple(sorted(set().union(*(layer.engines_used for layer in self.layers))))
