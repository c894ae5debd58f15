"""The style sheet of the report: tasks, grids, palettes, digits, the mask of wrong cells, and the filters."""

from collections.abc import Sequence

from arc_solver.report.grid_drawing import PALETTES

GRID_STYLE = """
.s{overflow-x:auto;max-width:100%;min-width:0;padding:1px}
.s::-webkit-scrollbar{height:6px}.s::-webkit-scrollbar-thumb{background:var(--muted);border-radius:9px}
.g{--s:var(--cell);position:relative;flex:none;width:calc(var(--w)*var(--s));height:calc(var(--h)*var(--s));
outline:1px solid var(--rule)}
.g::after{content:"";position:absolute;inset:0;pointer-events:none;background:
linear-gradient(90deg,var(--rule) 1px,transparent 1px) 0 0/var(--s) var(--s),
linear-gradient(var(--rule) 1px,transparent 1px) 0 0/var(--s) var(--s)}
:root{--rule:#7779;--digit:16px}@media (max-width:600px){:root{--digit:12px}}
svg{display:block}.g svg{width:100%;height:100%;shape-rendering:crispEdges}
.g .x{fill:light-dark(#ffffffb8,#1b1d21b8);fill-rule:evenodd;stroke:light-dark(#000,#fff);
vector-effect:non-scaling-stroke;
stroke-width:1.5px}
:root:not(:has(#difference:checked)) .x{display:none}
.g pre{display:none;position:absolute;inset:0;margin:0;z-index:1;overflow:hidden;color:#fff;
font:calc(var(--s)*.62)/var(--s) ui-monospace,"DejaVu Sans Mono",monospace;
padding-left:calc((var(--s) - 1ch)/2);letter-spacing:calc(var(--s) - 1ch);
text-shadow:0 0 1px #000,0 0 2px #000,0 0 2px #000}
:root:has(#digits:checked) .g{--s:max(var(--cell),var(--digit))}
:root:has(#digits:checked) .g pre{display:block}
"""

TASK_STYLE = """
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(15rem,100%),1fr));gap:.8rem;
margin:1.1rem 0}
.tile{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:.8rem 1rem}
.tile h2{margin:0;font-size:.85rem;font-weight:600;color:var(--muted)}
.tile strong{font-size:1.9rem;line-height:1.25;letter-spacing:-.02em}.tile p{margin:0;font-size:.85rem}
.tile i{display:block;height:5px;border-radius:9px;margin:.35rem 0;
background:linear-gradient(90deg,var(--good) var(--part),var(--line) 0)}
.table{overflow-x:auto;background:var(--card);border:1px solid var(--line);border-radius:10px;
padding:.7rem 1rem;font:13px/1.5 ui-monospace,"DejaVu Sans Mono",monospace;margin:.8rem 0}
nav{margin-top:.8rem}
summary{cursor:pointer;color:var(--muted);font-size:.9rem}
.wall{display:grid;grid-template-columns:repeat(auto-fill,minmax(5.6rem,1fr));gap:3px;padding:.7rem 0 0}
.wall a{font:12px/1.7 ui-monospace,"DejaVu Sans Mono",monospace;padding:0 .35rem;border-radius:4px;
color:var(--text);text-decoration:none;background:var(--card);
border-left:4px solid var(--line);overflow:hidden;
white-space:nowrap;text-overflow:ellipsis}
.wall .solved{border-color:var(--good)}.wall .partly{border-color:var(--half)}
.wall .missed{border-color:var(--bad)}
main{display:flex;flex-direction:column;gap:1rem;padding-top:1rem;padding-bottom:2rem}
article{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:.8rem 1.1rem 1.1rem;
content-visibility:auto;contain-intrinsic-size:auto 34rem}
article:target{border-color:var(--accent);box-shadow:0 0 0 2px var(--accent)}
article>h2{display:flex;flex-wrap:wrap;gap:.7rem;align-items:baseline;margin:0 0 .7rem;
font:600 1.05rem/1.3 ui-monospace,"DejaVu Sans Mono",monospace}
article>h2 a{color:inherit;text-decoration:none;overflow-wrap:anywhere;min-width:0}
article>h2 a:hover{text-decoration:underline}
.badge{font:600 .8rem/1.5 system-ui,sans-serif;border-radius:99px;padding:0 .6rem;border:1px solid;
color:var(--muted)}
.solved .badge{color:var(--good)}.partly .badge{color:var(--half)}.missed .badge{color:var(--bad)}
.defects{margin:0 0 .7rem;padding:0 0 0 1.1rem;color:var(--bad);font-size:.85rem;overflow-wrap:anywhere}
.row{display:flex;flex-wrap:wrap;gap:.9rem 2.2rem;align-items:flex-start}
.row+.row{border-top:1px solid var(--line);margin-top:.9rem;padding-top:.8rem}
figure{margin:0;max-width:100%;min-width:0}figcaption{font-size:.8rem;line-height:1.35;color:var(--muted);margin-bottom:.35rem;min-height:2.7em;
display:flex;flex-direction:column;justify-content:flex-end}
.demonstrations figcaption{min-height:0}
figcaption b{color:var(--text);font-weight:600}.right b{color:var(--good)}.wrong b{color:var(--bad)}
.pair{display:flex;flex-wrap:wrap;gap:.6rem;align-items:center}.pair>span{color:var(--muted)}
.none{border:1px dashed var(--bad);border-radius:6px;color:var(--bad);font-size:.8rem;padding:.6rem .8rem}
@media (max-width:600px){article{padding:.7rem .7rem .9rem}.row{gap:.8rem .9rem}}
@media print{.s{overflow:visible}}
"""


def palette_style() -> str:
    """The colors of every palette; the first is on, the others when chosen in the radio group `palette`."""
    rules = []
    for place, palette in enumerate(PALETTES.values()):
        colors = ";".join(f"--c{value}:{color}" for value, color in enumerate(palette.colors))
        chosen = "" if place == 0 else f":has(#palette-{palette.name}:checked)"
        rules.append(f":root{chosen}{{{colors}}}")
    rules += [f".c{value}{{stroke:var(--c{value})}}" for value in range(10)]
    return "\n".join(rules) + "\n"


def filter_style(filters: Sequence[str], nearest_first: Sequence[str]) -> str:
    """For each filter: choosing `show-<filter>` hides every article and link without that class.

    The filters `nearest_first` also order the articles by their wrong cells.
    """
    rules = [
        f":root:has(#show-{name}:checked) :is(article,.wall a):not(.{name}){{display:none}}"
        for name in filters
    ]
    rules += [f":root:has(#show-{name}:checked) article{{order:var(--n)}}" for name in nearest_first]
    return "\n".join(rules) + "\n"
