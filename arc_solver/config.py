"""The three frozen configurations, with every default; `presets` holds the recipes made of them."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

MAX_SEED = 2**32
MAX_COUNT = 2**31 - 1  # of steps, rows in flight, views


class Groups(NamedTuple):
    """Cells laid out in the axes `shape`; each kind of group is given by the axes to sum over."""

    shape: tuple[int, ...]
    axes: tuple[tuple[int, ...], ...]


class ConfigError(ValueError):
    """An unknown field or an impossible value; the text is one line."""

    exit_code = 2


def _require(condition: bool, text: str) -> None:
    if not condition:
        raise ConfigError(text)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of a message: the similar known name, or nothing."""
    # By the letters in their order, else by the same letters in another: soduko.
    alike = {"".join(sorted(each)): each for each in known if each[:1] == name[:1]}
    near = difflib.get_close_matches(name, list(known), 1) or [
        alike[each] for each in difflib.get_close_matches("".join(sorted(name)), alike, 1, 0.8)
    ]
    return f"; did you mean {near[0]!r}?" if near else ""


def _choice(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        hint = did_you_mean(value, allowed)
        raise ConfigError(f"{name}={value!r} is not one of {', '.join(allowed)}{hint}")


@dataclass(frozen=True)
class ModelConfig:
    """Shape of the network and of its recursion (arXiv 2510.04871; HRM is `networks=2, gradient="last"`)."""

    vocabulary: int = 12
    # How positions are mixed, in order: names in model.mixers.MIXERS.
    mixers: tuple[str, ...] = ("attention",)
    length: int = 0  # tokens of the only canvas; 0 = any canvas
    width: int = 512
    num_layers: int = 2
    num_heads: int = 8
    expansion: float = 4.0
    rounding: int = 256  # the inner width of SwiGLU is rounded up to a multiple of this
    cycles: int = 3  # the paper's T: refinements per forward pass, only the last one with gradient
    latent_steps: int = 6  # the paper's n: updates of the latent before each revision of the answer
    positions: str = "rotary2d"
    prefix_length: int = 16  # positions before the tokens (always 12 with embedding "composed")
    embedding: str = "rows"  # "rows": one vector per (task, view); "composed"; "none"
    row_width: int = 0  # numbers in a row; 0 = width
    gradient: str = "full"  # "last": only the last latent and the last answer update (HRM)
    networks: int = 1  # 2: one for the latent, one for the answer
    kernel_size: int = 3  # of the convolution
    symbols: bool = False  # a position for every (cell, symbol) instead of every cell; needs group_sums
    maxima: float = 0.0  # neighbours: the share of inner channels that take the maximum, not a sum
    wall_token: int = 0  # neighbours: cells of this token neither give nor receive; 0 = none
    hints: int = 0  # classes of the dense labels in training; 0 = no labels
    num_latents: int = 1  # 0: no latent; k > 1: one latent per update, summed
    continue_output: bool = False  # the second halting output of HRM

    def __post_init__(self) -> None:
        self._check_shape()
        self._check_mixing()

    def _check_shape(self) -> None:
        """ConfigError for what no network can be, however its cells are mixed."""
        _choice("positions", self.positions, ("rotary1d", "rotary2d", "learned", "none"))
        _choice("embedding", self.embedding, ("rows", "composed", "none"))
        _choice("gradient", self.gradient, ("full", "last"))
        for name in ("vocabulary", "width", "num_layers", "num_heads", "rounding", "cycles", "latent_steps"):
            _require(getattr(self, name) >= 1, f"{name}={getattr(self, name)}: must be at least 1")
        _require(
            self.width % self.num_heads == 0,
            f"width={self.width} is not a multiple of {self.num_heads} heads",
        )
        _require(
            (self.width // self.num_heads) % 4 == 0,
            f"head width {self.width // self.num_heads} is not a multiple of 4",
        )
        _require(self.networks in (1, 2), f"networks={self.networks}: 1 or 2")
        _require(self.num_latents >= 0, f"num_latents={self.num_latents}: 0 or more")
        _require(self.hints >= 0, f"hints={self.hints}: 0 or more")
        _require(
            self.kernel_size in (3, 5, 7), f"kernel_size={self.kernel_size}: a convolution has 3, 5 or 7"
        )
        _require(
            0 < self.expansion < math.inf and self.inner(self.width) > 0,
            f"expansion={self.expansion}: must be positive and leave an inner width",
        )
        _require(
            self.prefix_length >= 1, f"prefix_length={self.prefix_length}: the halting head reads position 0"
        )
        _require(self.row_width >= 0, f"row_width={self.row_width}: 0 or more")
        _require(
            self.row_width <= self.prefix_length * self.width,
            f"row_width={self.row_width} does not fit {self.prefix_length} prefix positions of {self.width}",
        )
        _require(
            self.num_latents != 0 or self.networks == 1,
            "num_latents=0 has no latent for the first of networks=2",
        )
        _require(
            self.embedding != "composed" or self.vocabulary >= 12,
            f"vocabulary={self.vocabulary}: embedding='composed' needs the 12 tokens of ARC",
        )

    def _check_mixing(self) -> None:
        """ConfigError for settings that do not go with the mixers."""
        mixers = ",".join(self.mixers)
        _require(bool(self.mixers), "mixers is empty: it would leave every cell alone")
        _require(len({*self.mixers}) == len(self.mixers), f"mixers={mixers}: each at most once")
        fixed = {"position_mlp", "group_sums"} & {*self.mixers}
        hints = "".join(did_you_mean(name, ("attention", "position_mlp")) for name in self.mixers)
        _require(
            self.length >= 1 or not (fixed or self.positions == "learned"),
            "position_mlp and group_sums among mixers, and positions='learned', need a fixed length",
        )
        _require(
            self.positions in ("none", "learned") or not self.cells_alone,
            f"positions={self.positions!r} turns the heads of attention, which is none of "
            f"mixers={mixers}: set positions=none{hints}",
        )
        _require(
            "neighbours" in self.mixers or (self.maxima == 0 and self.wall_token == 0),
            "maxima and wall_token are for neighbours among mixers",
        )
        _require(0 <= self.maxima <= 1, f"maxima={self.maxima}: a share, from 0 to 1")
        _require(
            0 <= self.wall_token < self.vocabulary,
            f"wall_token={self.wall_token}: one of {self.vocabulary} tokens, or 0 for none",
        )
        _require(
            not self.symbols or (self.mixers == ("group_sums",) and self.embedding == "none"),
            "symbols=true mixes by sums alone and knows no puzzle: set mixers=group_sums and embedding=none",
        )
        _require(
            not self.symbols or self.positions == "none",
            f"positions={self.positions!r}: symbols=true knows cells by their groups alone; "
            "set positions=none",
        )

    @property
    def cells_alone(self) -> bool:
        """Whether cells hear only of cells; a name that is not known here is refused when a model is made."""
        return {"convolution", "group_sums", "neighbours"}.issuperset(self.mixers)

    @property
    def num_symbols(self) -> int:
        """The number of tokens that are symbols: all but PAD and the empty cell."""
        return self.vocabulary - 2

    def num_positions(self, cells: int) -> int:
        """Positions S of a row of so many cells, including the prefix."""
        return self.prefix + cells * (self.num_symbols if self.symbols else 1)

    @property
    def prefix(self) -> int:
        """Number of positions before the tokens: P."""
        if self.symbols:
            return 0
        return 12 if self.embedding == "composed" else self.prefix_length

    def inner(self, width: int) -> int:
        """Inner width I of a SwiGLU over `width` numbers."""
        return math.ceil(round(self.expansion * width * 2 / 3) / self.rounding) * self.rounding


@dataclass(frozen=True)
class TrainConfig:
    """What one training run does; with the data it determines every number."""

    domain: str = "arc"  # a name in domains.DOMAINS
    seed: int = 0
    steps: int = 1000
    batch_size: int = 768  # rows in flight in all processes, on all canvases
    optimizer: str = "adam_atan2"
    learning_rate: float = 1e-4
    vector_learning_rate: float = 0.0  # of parameters that Muon does not update; 0 = learning_rate
    row_learning_rate: float = 1e-2
    weight_decay: float = 0.1
    row_weight_decay: float = 0.1
    beta1: float = 0.9
    beta2: float = 0.95
    momentum: float = 0.95  # of Muon
    warmup_steps: int = 2000
    schedule: str = "constant"  # "linear": decays to 0 over the last `decay_share`; "cosine"
    decay_share: float = 0.4
    clip: float = 0.0  # global gradient norm; 0 = off
    ema: float = 0.999  # 0 = off
    ema_rows: bool = False
    loss: str = "stablemax"
    label_smoothing: float = 0.0
    halt_weight: float = 0.5
    age_decay: float = 1.0  # supervision at age t weighs age_decay^(t − 1)
    curriculum: str = "off"  # "depth": shallow refinements first, see training.schedule
    max_age: int = 16
    hint_weight: float = 0.0  # of the dense labels, each trained only once it can be known
    gradient_ages: int = 1  # ages of one step, with a loss each and nothing detached between them
    exploration: float = 0.1
    rows_only_share: float = 0.0  # first share of the run, which trains only rows
    num_views: int = 1000
    permute_colors: bool = True  # False: views are symmetries only
    all_pairs: bool = False  # ARC: draw a task with all its pairs under one view, as published, not one pair
    translate: bool = True
    equal_time: bool = False  # canvases share a batch by the time of their puzzles, not by their number
    canvas: str = "fitted"  # the sides that grids are padded to; "fine": more of them; "full": always 30
    # "auto": activations in bfloat16 where a GPU has units for it; "products": that, and the factors of
    # products on a CPU that has AMX tiles
    precision: str = "auto"
    # "on": the forward as a whole; "blocks": each update of a state, with "graphs" in a CUDA graph a canvas;
    # "auto": "blocks", on CUDA
    compile: str = "auto"
    save_every: int = 1000
    eval_every: int = 0  # steps; 0 = at each tenth of the run
    keep: int = 2

    def __post_init__(self) -> None:
        _choice("optimizer", self.optimizer, ("adam_atan2", "adamw", "muon"))
        _choice("schedule", self.schedule, ("constant", "linear", "cosine"))
        _choice("loss", self.loss, ("stablemax", "softmax"))
        _choice("canvas", self.canvas, ("fitted", "fine", "full"))
        _choice("curriculum", self.curriculum, ("off", "depth"))
        _choice("precision", self.precision, ("auto", "products", "float32", "bfloat16"))
        _choice("compile", self.compile, ("auto", "on", "blocks", "graphs", "off"))
        for name in ("steps", "batch_size", "max_age", "gradient_ages", "num_views", "save_every", "keep"):
            value = getattr(self, name)
            _require(1 <= value <= MAX_COUNT, f"{name}={value}: must be from 1 to {MAX_COUNT:,}")
        for name in (
            "learning_rate",
            "vector_learning_rate",
            "row_learning_rate",
            "weight_decay",
            "row_weight_decay",
            "clip",
            "halt_weight",
            "hint_weight",
            "warmup_steps",
            "eval_every",
        ):
            _require(
                0 <= getattr(self, name) < math.inf,
                f"{name}={getattr(self, name)}: must be finite and not negative",
            )
        for name in ("beta1", "beta2", "momentum", "ema", "label_smoothing"):
            _require(0 <= getattr(self, name) < 1, f"{name}={getattr(self, name)}: from 0 to below 1")
        for name in ("exploration", "decay_share", "rows_only_share"):
            _require(0 <= getattr(self, name) <= 1, f"{name}={getattr(self, name)}: from 0 to 1")
        _require(0 < self.age_decay <= 1, f"age_decay={self.age_decay}: above 0 and at most 1")
        _require(self.learning_rate > 0, "learning_rate=0 trains nothing")
        _require(
            self.gradient_ages <= self.max_age,
            f"gradient_ages={self.gradient_ages}: a row has max_age={self.max_age} at most; set both",
        )
        _require(0 <= self.seed < MAX_SEED, f"seed={self.seed}: from 0 to below {MAX_SEED}")


@dataclass(frozen=True)
class PredictConfig:
    """How answers are made with weights."""

    views: int = 32
    ages: int = 16  # age limit of a row
    halt_logit: float = math.inf  # a row leaves when its halting logit exceeds this; inf = never
    patience: int = 0  # a row leaves when its answer has not changed for this many ages; 0 = never
    # Sudoku: a row leaves only when its board keeps the rules. If it does not, this many ages after a guess
    # and twice as many after its start, it guesses or takes guesses back.
    guess_after: int = 0
    batch_size: int = 64
    seed: int = 0
    retry_overflow: bool = True
    # ARC: no more views once the first two grids are decided ("decided"), or once a sequential test rules out
    # another first grid with an error of at most `early_error` ("likely"); "off": all views.
    early: str = "decided"
    early_error: float = 0.01
    weigh_views: bool = False  # ARC: ballots weigh by the demonstrations answered right under their view
    adapt_rows_share: float = 0.25  # first share of test-time training from weights, which trains only rows
    rollouts: int = 1  # chains per view, all but the first with noise on the answer state
    sigma: float = 0.0  # of that noise, before every age; 0 = 0.3 for boards, none for ARC
    # Among chains and views of a board: the "first" confident one, the first that is "valid" as well, or a
    # "vote"; "auto": by kind of board.
    choice: str = "auto"

    def __post_init__(self) -> None:
        _choice("early", self.early, ("off", "decided", "likely"))
        _require(0 < self.early_error < 1, f"early_error={self.early_error}: above 0 and below 1")
        _require(0 <= self.adapt_rows_share <= 1, f"adapt_rows_share={self.adapt_rows_share}: from 0 to 1")
        _choice("choice", self.choice, ("auto", "first", "valid", "vote"))
        _require(0 <= self.sigma < math.inf, f"sigma={self.sigma}: must be finite and not negative")
        for name in ("views", "ages", "batch_size", "rollouts"):
            _require(getattr(self, name) >= 1, f"{name}={getattr(self, name)}: must be at least 1")
        for name in ("patience", "guess_after"):
            _require(getattr(self, name) >= 0, f"{name}={getattr(self, name)}: 0 or more")
        _require(0 <= self.seed < MAX_SEED, f"seed={self.seed}: from 0 to below {MAX_SEED}")
        _require(not math.isnan(self.halt_logit), "halt_logit=nan: must be a number")


@dataclass(frozen=True)
class Preset:
    """A named recipe: a model, how it is trained and how it predicts."""

    name: str
    about: str
    model: ModelConfig
    train: TrainConfig
    predict: PredictConfig

    def __post_init__(self) -> None:
        _require(
            self.train.gradient_ages == 1 or (self.model.cycles == 1 and self.model.gradient == "full"),
            f"gradient_ages={self.train.gradient_ages}: cycles={self.model.cycles} and "
            f"gradient={self.model.gradient} cut the gradient between ages; set cycles=1 and gradient=full",
        )
        _require(
            self.train.hint_weight == 0 or self.model.hints > 0,
            f"hint_weight={self.train.hint_weight}: set hints to the number of dense labels",
        )
