"""The config of a published model, from its shapes, the trainer's config, and assumptions for the rest."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from arc_solver.checkpoints.convert.errors import ConvertError
from arc_solver.checkpoints.convert.published_config import OTHER_RECURSIONS, PublishedConfig
from arc_solver.config import ConfigError, ModelConfig
from arc_solver.model.layers import NORM_EPS
from arc_solver.model.positions import ROTARY_THETA, rotary_table

HEAD_WIDTH = 64
HRM_PREFIX, TRM_PREFIX = 1, 16
MAX_PREFIX = 64
SUDOKU_VOCABULARY = 11
# Vocabulary -> cells of the published data sets: ARC, Sudoku, mazes.
PUBLISHED_LENGTHS = {12: 900, SUDOKU_VOCABULARY: 81, 6: 900}
MAX_COMPARED = 1024  # rows of a rotary table


@dataclass(frozen=True)
class Choices:
    """What a state dict mostly does not determine; None: unknown."""

    heads: int | None = None
    prefix: int | None = None
    cycles: int | None = None
    latent_steps: int | None = None

    def over(self, other: Choices) -> Choices:
        """These choices, and those of `other` for what is unknown here."""
        names = [field.name for field in fields(self)]
        return Choices(*(getattr(self if getattr(self, n) is not None else other, n) for n in names))


@dataclass(frozen=True)
class Inventory:
    """The weights and the buffers of a state dict, and the facts that their names tell."""

    tensors: dict[str, Tensor]
    buffers: dict[str, Tensor]
    hrm: bool
    mlp: bool
    learned: bool
    num_layers: int

    @property
    def vocabulary(self) -> int:
        return self.tensors["embed_tokens.embedding_weight"].shape[0]

    @property
    def width(self) -> int:
        return self.tensors["embed_tokens.embedding_weight"].shape[1]

    @property
    def row_width(self) -> int:
        return self.tensors["puzzle_emb.weights"].shape[1]

    @property
    def row_prefix(self) -> int:
        """Prefix positions that an embedding row fills."""
        return math.ceil(self.row_width / self.width)

    @property
    def rotary(self) -> Tensor | None:
        """The cosines (positions, head width) of a rotary table saved with the weights."""
        found = [t for key, t in self.buffers.items() if key.endswith("cos_cached") and t.dim() == 2]
        return found[0] if found else None

    @property
    def head_width(self) -> int | None:
        """The width of attention heads, if a rotary table or its frequencies were saved."""
        speeds = [t for key, t in self.buffers.items() if key.endswith("inv_freq") and t.dim() == 1]
        if self.rotary is not None:
            return self.rotary.shape[1]
        return 2 * len(speeds[0]) if speeds else None

    @property
    def positions(self) -> int | None:
        """Prefix plus cells, if a shape tells."""
        if self.mlp:
            return self.tensors["L_level.layers.0.mlp_t.down_proj.weight"].shape[0]
        if self.learned:
            return self.tensors["embed_pos.embedding_weight"].shape[0]
        return None if self.rotary is None else self.rotary.shape[0]


def config_of(
    inventory: Inventory, choices: Choices, published: PublishedConfig, name: str
) -> tuple[ModelConfig, str]:
    """The config, and the options that had to be assumed with their values; ConvertError if they conflict."""
    _check_dimensions(inventory.tensors, name)
    _check_published(inventory, published, name)
    known = choices.over(_from_config(published)).over(_from_shapes(inventory))
    chosen = known.over(_as_published(inventory))
    assert chosen.prefix is not None
    width, row_width = inventory.width, inventory.row_width
    inner = {width: inventory.tensors["L_level.layers.0.mlp.down_proj.weight"].shape[1]}
    if inventory.mlp:
        mixed = inventory.tensors["L_level.layers.0.mlp_t.down_proj.weight"]
        inner[mixed.shape[0]] = mixed.shape[1]
    expansion, rounding = _expansion(inner, name)
    positions = _kind_of_positions(inventory, published)
    try:
        config = ModelConfig(
            vocabulary=inventory.vocabulary,
            mixers=("position_mlp",) if inventory.mlp else ("attention",),
            length=_length(inventory, chosen.prefix, name),
            width=width,
            num_layers=inventory.num_layers,
            num_heads=chosen.heads or 1,
            expansion=expansion,
            rounding=rounding,
            cycles=chosen.cycles or 1,
            latent_steps=chosen.latent_steps or 1,
            positions=positions,
            prefix_length=chosen.prefix,
            row_width=0 if row_width == width else row_width,
            gradient="last" if inventory.hrm else "full",
            networks=2 if inventory.hrm else 1,
            continue_output=inventory.hrm or published.values.get("no_ACT_continue") is False,
        )
    except ConfigError as error:
        raise ConvertError(f"{name}: {error}") from error
    _check_rotary(inventory, config, name)
    return config, _assumed(known, config)


def _from_config(published: PublishedConfig) -> Choices:
    number = published.number
    return Choices(number("num_heads"), published.prefix, number("H_cycles"), number("L_cycles"))


def _from_shapes(inventory: Inventory) -> Choices:
    """Heads from a saved rotary table; the prefix from the positions of the published boards."""
    heads = prefix = None
    if inventory.head_width:
        heads = max(1, inventory.width // inventory.head_width)
    if inventory.hrm:  # its prefix is as long as a row
        prefix = inventory.row_prefix
    elif inventory.positions is not None and inventory.vocabulary in PUBLISHED_LENGTHS:
        before = inventory.positions - PUBLISHED_LENGTHS[inventory.vocabulary]
        prefix = before if 1 <= before <= MAX_PREFIX else None
    return Choices(heads, prefix)


def _as_published(inventory: Inventory) -> Choices:
    """The values of the published commands."""
    prefix = max(HRM_PREFIX if inventory.hrm else TRM_PREFIX, inventory.row_prefix)
    cycles, latent_steps = published_depth(inventory.hrm, inventory.mlp, inventory.vocabulary)
    return Choices(max(1, inventory.width // HEAD_WIDTH), prefix, cycles, latent_steps)


def published_depth(hrm: bool, mlp: bool, vocabulary: int) -> tuple[int, int]:
    """T and n of the published commands; for TRM n is 6 for Sudoku and with MLP mixers, else 4."""
    if hrm:
        return 2, 2
    return 3, 6 if mlp or vocabulary == SUDOKU_VOCABULARY else 4


def _assumed(known: Choices, config: ModelConfig) -> str:
    """What was assumed in `config`, as options and their values."""
    values = {
        "--heads": (known.heads or ("attention" not in config.mixers or None), config.num_heads),
        "--prefix": (known.prefix, config.prefix_length),
        "--cycles": (known.cycles, config.cycles),
        "--latent-steps": (known.latent_steps, config.latent_steps),
    }
    return " ".join(f"{option} {value}" for option, (found, value) in values.items() if found is None)


def _kind_of_positions(inventory: Inventory, published: PublishedConfig) -> str:
    if inventory.learned:
        return "learned"
    encodings = published.values.get("pos_encodings", "rope")
    return "none" if inventory.mlp or encodings != "rope" else "rotary1d"


def _length(inventory: Inventory, prefix: int, name: str) -> int:
    """Cells after the prefix if the weights fix them, else 0; every known board is a square."""
    if not (inventory.mlp or inventory.learned):
        return 0
    positions = inventory.positions or 0
    length = positions - prefix
    if length < 1 or math.isqrt(length) ** 2 != length:
        raise ConvertError(
            f"{name}: {positions} positions, of which a prefix of {prefix} leaves {max(length, 0)} cells, "
            "and no square board has so many; name the right --prefix"
        )
    return length


def _check_published(inventory: Inventory, published: PublishedConfig, name: str) -> None:
    """ConvertError if the trainer's config is that of another model, or of one we do not implement."""
    said, place = published.values, published.place
    held = {
        "hidden_size": inventory.width,
        "L_layers": inventory.num_layers,
        "puzzle_emb_ndim": inventory.row_width,
        "mlp_t": inventory.mlp,
    }
    for key, value in held.items():
        if key in said and said[key] != value:
            raise ConvertError(f"{place}: {key} {said[key]}, but {value} in {name}; is it this model's file?")
    if "pos_encodings" in said and (said["pos_encodings"] == "learned") != inventory.learned:
        learned = "learned" if inventory.learned else "no learned"
        raise ConvertError(
            f"{place}: pos_encodings {said['pos_encodings']}, but {name} has {learned} positions; "
            "is it this model's file?"
        )
    module = str(said.get("name", "")).split("@")[0].rsplit(".", 1)[-1]
    if module in OTHER_RECURSIONS:
        raise ConvertError(f"{place}: a model of {module}, expected TRM or HRM, which refine otherwise")
    for key, known in (("rope_theta", ROTARY_THETA), ("rms_norm_eps", NORM_EPS)):
        if not math.isclose(float(said.get(key, known)), known):
            raise ConvertError(f"{place}: {key} {said[key]}, expected {known:g}, which is built in here")


def _check_rotary(inventory: Inventory, config: ModelConfig, name: str) -> None:
    """ConvertError if a saved rotary table is not the one that our model uses."""
    head_width, kept = config.width // config.num_heads, inventory.rotary
    if config.positions != "rotary1d" or (inventory.head_width in (None, head_width) and kept is None):
        return
    if inventory.head_width != head_width:
        raise ConvertError(
            f"{name}: {config.num_heads} heads of {head_width}, but its rotary table is for heads of "
            f"{inventory.head_width}; name the right --heads"
        )
    assert kept is not None
    rows = min(len(kept), MAX_COMPARED)
    ours = rotary_table("rotary1d", 0, rows, 1, head_width)
    if ours is not None and not torch.allclose(kept[:rows].float(), ours[0], atol=0.02):
        raise ConvertError(f"{name}: its rotary table is not the published one, of 1/{ROTARY_THETA:g}^(2k/d)")


def _check_dimensions(theirs: dict[str, Tensor], name: str) -> None:
    for key, tensor in theirs.items():
        wanted = 1 if key in ("H_init", "L_init", "q_head.bias") else 2
        if tensor.dim() != wanted or 0 in tensor.shape or not tensor.is_floating_point():
            found = f"{tuple(tensor.shape)} of {str(tensor.dtype).removeprefix('torch.')}"
            raise ConvertError(f"{name}: {key} is {found}, expected {wanted} dimensions of floating point")


def _expansion(inner: dict[int, int], name: str) -> tuple[float, int]:
    """Expansion and rounding that give every width its inner width; the published ones are tried first."""
    width, wanted = next(iter(inner.items()))
    for expansion, rounding in [*((4.0, 256 >> k) for k in range(9)), (wanted * 1.5 / width, 1)]:
        shape = ModelConfig(expansion=expansion, rounding=rounding)
        if all(shape.inner(own) == found for own, found in inner.items()):
            return expansion, rounding
    raise ConvertError(f"{name}: inner widths {inner} follow from no expansion and rounding")
