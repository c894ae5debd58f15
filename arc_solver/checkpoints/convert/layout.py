"""The published names of tensors, and what each is called here."""

from __future__ import annotations

import re
from dataclasses import dataclass

import torch
from torch import Tensor

from arc_solver.checkpoints.convert.architecture import Choices, Inventory, config_of
from arc_solver.checkpoints.convert.errors import ConvertError
from arc_solver.checkpoints.convert.opener import plain_name
from arc_solver.checkpoints.convert.published_config import PublishedConfig
from arc_solver.checkpoints.file_format import CheckpointError
from arc_solver.checkpoints.weights import check_state, shapes_of
from arc_solver.config import ModelConfig
from arc_solver.model.trm import Model
from arc_solver.storage.text import count

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
MIXER = {
    "mlp_t.gate_up_proj.weight": "position_mlp.gate_up.weight",
    "mlp_t.down_proj.weight": "position_mlp.down.weight",
}
FEED_FORWARD = {
    "mlp.gate_up_proj.weight": "feed_forward.gate_up.weight",
    "mlp.down_proj.weight": "feed_forward.down.weight",
}
LEVELS = {"L_level": "latent_blocks", "H_level": "answer_blocks"}
# Buffers that the published classes compute, or use in training alone; some versions save them.
BUFFERS = re.compile(r"(?:.*\.)?(?:local_weights|local_ids|cos_cached|sin_cached|inv_freq)")
SHOWN = 3


@dataclass(frozen=True)
class Adopted:
    """A published model in our terms, and the options that neither shapes, config nor user determined."""

    config: ModelConfig
    state: dict[str, Tensor]
    assumed: str


def adopt(tensors: dict[str, Tensor], choices: Choices, name: str, published: PublishedConfig) -> Adopted:
    """A published state dict in our terms; ConvertError names the first keys that do not fit.

    `choices` take precedence over `published`. `name` is the file's, for messages.
    """
    inventory = take_stock(tensors)
    theirs = inventory.tensors
    names = _names(inventory)
    missing, unexpected = sorted(names.keys() - theirs.keys()), sorted(theirs.keys() - names.keys())
    if missing or unexpected:
        parts = [f"missing {', '.join(missing[:SHOWN])}"] if missing else []
        shown = ", ".join(ascii(key)[1:-1][:80] for key in unexpected[:SHOWN])
        parts += [f"unexpected {shown}"] if unexpected else []
        num = len(missing) + len(unexpected)
        raise ConvertError(
            f"{name}: not the published TRM or HRM layout: {'; '.join(parts)} ({count(num, 'name')} in all)"
        )
    config, assumed = config_of(inventory, choices, published, name)
    state = {ours: theirs[key] for key, ours in names.items()}
    if not config.continue_output:
        # The published TRM has a second halting output, which is never trained or read.
        state["halt_weight"], state["halt_bias"] = state["halt_weight"][:1], state["halt_bias"][:1]
    try:
        with torch.device("meta"):
            wanted = Model(config, state["puzzle.rows"].shape[0])
        check_state(shapes_of(wanted), state, name)
    except CheckpointError as error:
        raise ConvertError(str(error)) from error
    return Adopted(config, state, assumed)


def take_stock(tensors: dict[str, Tensor]) -> Inventory:
    """The weights and buffers of a state dict, without the prefixes of wrappers before their names."""
    plain = {plain_name(key): tensor for key, tensor in tensors.items()}
    buffers = {key: tensor for key, tensor in plain.items() if BUFFERS.fullmatch(key)}
    theirs = {key: tensor for key, tensor in plain.items() if key not in buffers}
    layers = [re.match(r"L_level\.layers\.(\d{1,3})\.", key) for key in theirs]
    return Inventory(
        theirs,
        buffers,
        hrm=any(key.startswith("H_level.") for key in theirs),
        mlp=any(".mlp_t." in key for key in theirs),
        learned="embed_pos.embedding_weight" in theirs,
        num_layers=1 + max((int(match[1]) for match in layers if match), default=0),
    )


def _names(inventory: Inventory) -> dict[str, str]:
    """Published name -> our name of every tensor of a model."""
    inside = (MIXER if inventory.mlp else ATTENTION) | FEED_FORWARD
    names = TOP | (POSITIONS if inventory.learned else {})
    for level, blocks in LEVELS.items() if inventory.hrm else [("L_level", "latent_blocks")]:
        for layer in range(inventory.num_layers):
            names |= {
                f"{level}.layers.{layer}.{key}": f"{blocks}.{layer}.{ours}" for key, ours in inside.items()
            }
    return names
