"""`python -m arc_solver.programs.gpu_page`: the part of docs/gpu.md that follows from `gpu_programs`.

The commands of every program and what they should cost: predicted from counted operations, not measured.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from arc_solver.programs.gpu_programs import PROGRAMS, Place, Program, Stage
from arc_solver.programs.run_in_pieces import COMPILED_NAME, command_line
from arc_solver.storage.files import write_atomic

BEGIN, END = "<!-- begin: written by python -m arc_solver.programs.gpu_page -->", "<!-- end -->"
PAGE = Path("docs/gpu.md")
PIECE = "9m"
# Operations per second that are assumed: bf16 rate of large products of matrices times the share of it that a
# step of training reaches. H200: 790 TFLOP/s measured with torch.mm; H100: three quarters of the 990 of the
# data sheet, the share that the measured H200 has of the same number.
RATES = {"H100 80 GB": 990e12 * 0.75, "H200 141 GB": 790e12}
TRAINING_SHARE, ANSWERING_SHARE = 0.4, 0.2
# Of eight cards together: what is left when gradients are exchanged.
EIGHT_CARDS = 8 * 0.9
COLUMNS = (
    ("1 × H100", "H100 80 GB", 1.0),
    ("1 × H200", "H200 141 GB", 1.0),
    ("8 × H200", "H200 141 GB", 8.0),
)


def hours(stage: Stage, rate: float, gpus: float) -> float:
    """Predicted hours of a stage on so many cards; what does not train together shares no gradients."""
    cards = EIGHT_CARDS if stage.trains and gpus > 1 else gpus
    training = stage.flops / (TRAINING_SHARE * cards)
    return (training + stage.answer_flops / (ANSWERING_SHARE * gpus)) / rate / 3600


def duration(hours: float) -> str:
    """Hours as a table says them."""
    return f"{hours:.1f} h" if hours >= 1 else f"{max(0.1, 60 * hours):.1f} min"


def cost_table() -> list[str]:
    """One row for each stage that computes."""
    head = " | ".join(name for name, _, _ in COLUMNS)
    lines = [f"| program | stage | PFLOP | {head} |", f"|---|---|---|{'---|' * len(COLUMNS)}"]
    for program in PROGRAMS.values():
        computing = [stage for stage in program.stages if stage.flops or stage.answer_flops]
        for name in dict.fromkeys(stage.name.split("-")[0] for stage in computing):
            alike = [stage for stage in computing if stage.name.split("-")[0] == name]
            times = [
                duration(sum(hours(stage, RATES[card], gpus) for stage in alike)) for _, card, gpus in COLUMNS
            ]
            label = f"{name} ({len(alike)} parts)" if len(alike) > 1 else name
            total = sum(stage.flops + stage.answer_flops for stage in alike) / 1e15
            lines.append(f"| {program.name} | {label} | {total:,.0f} | {' | '.join(times)} |")
    return lines


def commands(program: Program, gpus: int = 1, piece: str | None = None) -> list[str]:
    """The commands of a program as a person types them."""
    place = Place(data="$DATA", out="$OUT", gpus=gpus)
    return [
        typed(command_line(place.command(program, stage, piece), stage, place)) for stage in program.stages
    ]


def typed(words: list[str]) -> str:
    """Words for a shell, in which $DATA and $OUT stay variables."""
    return " ".join(word if word.startswith(("$DATA", "$OUT")) else shlex.quote(word) for word in words)


def block() -> str:
    """Everything between the marks of the page."""
    lines = [BEGIN, "", *cost_table(), ""]
    for program in PROGRAMS.values():
        lines += [
            f"### {program.name}",
            "",
            f"{program.about}. Preset `{program.preset}`; `$DATA` holds {_listed(program)}.",
            "",
            "```bash",
            f"export TORCHINDUCTOR_CACHE_DIR=$OUT/{program.name}/{COMPILED_NAME}",
            *commands(program),
            "```",
            "",
            "On eight cards the first command is, in pieces of ten minutes:",
            "",
            "```bash",
            commands(program, 8, PIECE)[0],
            "```",
            "",
        ]
    return "\n".join([*lines, END])


def _listed(program: Program) -> str:
    return ", ".join(f"`{name}`" for name in program.needs)


def renewed(page: str) -> str:
    """The page with its written part as it should be; ValueError where the marks are missing."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE}: expected the lines {BEGIN} and {END}")
    return before + block() + after


def main() -> None:
    """Write the page's part anew."""
    write_atomic(PAGE, renewed(PAGE.read_text(encoding="utf-8")).encode())
    print(PAGE)


if __name__ == "__main__":
    sys.exit(main())
