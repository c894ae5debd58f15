"""How large the published sets are."""

from __future__ import annotations

# Cells of a canvas -> tasks (of training) or outputs (to answer): ARC-1 and ConceptARC, ARC-2 and ConceptARC.
ARC_TASKS = {
    "arc1": {49: 65, 121: 230, 256: 270, 441: 205, 676: 85, 900: 105},
    "arc2": {49: 71, 121: 271, 256: 316, 441: 301, 676: 124, 900: 197},
}


ARC_OUTPUTS = {
    "arc1": {49: 16, 121: 73, 256: 120, 441: 94, 676: 41, 900: 75},
    "arc2": {121: 4, 256: 10, 441: 38, 676: 26, 900: 89},
}


BOARD_CELLS = {"sudoku": 81, "maze": 900}
