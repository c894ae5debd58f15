"""The published names and shapes, and what each is called here. Shapes: D width, V tokens, I inner width."""

from __future__ import annotations

import re
from dataclasses import dataclass

from torch import Tensor

from arc_solver.checkpoints.convert.errors import ConvertError
from arc_solver.checkpoints.file_format import CheckpointError
from arc_solver.checkpoints.weights import check_state
from arc_solver.config import ConfigError, ModelConfig
from arc_solver.model.trm import Model

COMPILED, WRAPPER = "_orig_mod.", "model.inner."
HEAD_WIDTH = 64
TOP = {
    "H_init": "first_answer",
    "L_init": "first_latent",
    "embed_tokens.embedding_weight": "token_embedding",
    "lm_head.weight": "head.weight",
    "q_head.weight": "halt_weight",
    "q_head.bias": "halt_bias",
    "puzzle_emb.weights": "puzzle.rows",
}
POSITIONS = {"embed_pos.embedding_weight": "position_embedding"}
ATTENTION = {
    "self_attn.qkv_proj.weight": "attention.qkv.weight",
    "self_attn.o_proj.weight": "attention.out.weight",
}
MIXER = {"mlp_t.gate_up_proj.weight": "mixer.gate_up.weight", "mlp_t.down_proj.weight": "mixer.down.weight"}
FEED_FORWARD = {
    "mlp.gate_up_proj.weight": "feed_forward.gate_up.weight",
    "mlp.down_proj.weight": "feed_forward.down.weight",
}
LEVELS = {"L_level": "latent_blocks", "H_level": "answer_blocks"}
SHOWN = 3
SUDOKU_VOCABULARY = 11


@dataclass(frozen=True)
class Choices:
    """What a state dict does not tell; None takes the published value."""

    heads: int | None = None
    prefix: int | None = None
    cycles: int | None = None
    latent_steps: int | None = None

    def assumed(self, config: ModelConfig) -> str:
        """What `config` has from no choice, as options and their values."""
        values = {
            "--heads": (self.heads, config.num_heads),
            "--prefix": (self.prefix, config.prefix_length),
            "--cycles": (self.cycles, config.cycles),
            "--latent-steps": (self.latent_steps, config.latent_steps),
        }
        return " ".join(f"{name} {value}" for name, (chosen, value) in values.items() if chosen is None)


def adopt(tensors: dict[str, Tensor], choices: Choices, name: str) -> tuple[ModelConfig, dict[str, Tensor]]:
    """The config and our state dict of a published one; ConvertError names the first keys that do not fit."""
    theirs = {key.removeprefix(COMPILED).removeprefix(WRAPPER): t for key, t in tensors.items()}
    hrm = any(key.startswith("H_level.") for key in theirs)
    mlp = any(".mlp_t." in key for key in theirs)
    num_layers = 1 + max((int(m[1]) for m in map(_layer, theirs) if m), default=0)
    names = _names(num_layers, hrm, mlp, POSITIONS if "embed_pos.embedding_weight" in theirs else {})
    missing, unexpected = sorted(names.keys() - theirs.keys()), sorted(theirs.keys() - names.keys())
    if missing or unexpected:
        parts = [f"missing {', '.join(missing[:SHOWN])}"] if missing else []
        parts += (
            [f"unexpected {', '.join(ascii(key)[1:-1][:80] for key in unexpected[:SHOWN])}"]
            if unexpected
            else []
        )
        num = len(missing) + len(unexpected)
        raise ConvertError(
            f"{name}: not the published TRM or HRM layout: {'; '.join(parts)} ({num} names differ)"
        )
    config = _config(theirs, choices, num_layers, (hrm, mlp), name)
    state = {ours: theirs[key] for key, ours in names.items()}
    if not hrm:
        # The published TRM has a second halting output that is never trained nor read.
        state["halt_weight"], state["halt_bias"] = state["halt_weight"][:1], state["halt_bias"][:1]
    wanted = Model(config, num_rows=state["puzzle.rows"].shape[0]).state_dict()
    try:
        check_state({key: tuple(t.shape) for key, t in wanted.items()}, state, name)
    except CheckpointError as error:
        raise ConvertError(str(error)) from error
    return config, state


def _layer(key: str) -> re.Match[str] | None:
    return re.match(r"L_level\.layers\.(\d{1,3})\.", key)


def _names(num_layers: int, hrm: bool, mlp: bool, positions: dict[str, str]) -> dict[str, str]:
    """Published name -> our name of every tensor of a model."""
    inside = (MIXER if mlp else ATTENTION) | FEED_FORWARD
    names = TOP | positions
    for level, blocks in LEVELS.items() if hrm else [("L_level", "latent_blocks")]:
        for layer in range(num_layers):
            names |= {
                f"{level}.layers.{layer}.{key}": f"{blocks}.{layer}.{ours}" for key, ours in inside.items()
            }
    return names


def _config(
    theirs: dict[str, Tensor], choices: Choices, num_layers: int, kind: tuple[bool, bool], name: str
) -> ModelConfig:
    hrm, mlp = kind
    _check_dimensions(theirs, name)
    vocabulary, width = theirs["embed_tokens.embedding_weight"].shape
    cycles, latent_steps = published_depth(hrm, mlp, vocabulary)
    row_width = theirs["puzzle_emb.weights"].shape[1]
    prefix = choices.prefix or (1 if hrm else 16)
    prefix = max(prefix, -(-row_width // width))
    learned = "embed_pos.embedding_weight" in theirs
    inner = {width: theirs["L_level.layers.0.mlp.down_proj.weight"].shape[1]}
    positions, length = "rotary1d", 0
    if mlp:
        mixed = theirs["L_level.layers.0.mlp_t.down_proj.weight"]
        inner[mixed.shape[0]] = mixed.shape[1]
        positions, length = "none", mixed.shape[0] - prefix
    if learned:
        positions, length = "learned", theirs["embed_pos.embedding_weight"].shape[0] - prefix
    expansion, rounding = _expansion(inner, name)
    heads = choices.heads or (max(1, width // HEAD_WIDTH))
    try:
        return ModelConfig(
            vocabulary=vocabulary,
            mixer="mlp" if mlp else "attention",
            length=length,
            width=width,
            num_layers=num_layers,
            num_heads=heads,
            expansion=expansion,
            rounding=rounding,
            cycles=choices.cycles or cycles,
            latent_steps=choices.latent_steps or latent_steps,
            positions=positions,
            prefix_length=prefix,
            row_width=0 if row_width == width else row_width,
            gradient="last" if hrm else "full",
            networks=2 if hrm else 1,
            continue_output=hrm,
        )
    except ConfigError as error:
        raise ConvertError(f"{name}: {error}") from error


def published_depth(hrm: bool, mlp: bool, vocabulary: int) -> tuple[int, int]:
    """T and n of the published commands; of TRM n is 6 for Sudoku, where mixers are used, and else 4."""
    if hrm:
        return 2, 2
    return 3, 6 if mlp or vocabulary == SUDOKU_VOCABULARY else 4


def _check_dimensions(theirs: dict[str, Tensor], name: str) -> None:
    for key, tensor in theirs.items():
        wanted = 1 if key in ("H_init", "L_init", "q_head.bias") else 2
        if tensor.dim() != wanted or 0 in tensor.shape or not tensor.is_floating_point():
            found = f"{tuple(tensor.shape)} of {str(tensor.dtype).removeprefix('torch.')}"
            raise ConvertError(f"{name}: {key} is {found}, expected {wanted} dimensions of floating point")


def _expansion(inner: dict[int, int], name: str) -> tuple[float, int]:
    """Expansion and rounding that give every width its inner width; the published ones where they do."""
    width, wanted = next(iter(inner.items()))
    for expansion, rounding in [*((4.0, 256 >> k) for k in range(9)), (wanted * 1.5 / width, 1)]:
        shape = ModelConfig(expansion=expansion, rounding=rounding)
        if all(shape.inner(own) == found for own, found in inner.items()):
            return expansion, rounding
    raise ConvertError(f"{name}: inner widths {inner} follow from no expansion and rounding")
