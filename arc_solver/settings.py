"""Settings `key=value` and durations, from text."""

from __future__ import annotations

import dataclasses
import math
import re
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from arc_solver.config import (
    ConfigError,
    ModelConfig,
    PredictConfig,
    Preset,
    TrainConfig,
    _choice,
    _require,
    did_you_mean,
)

AnyConfig = TypeVar("AnyConfig", ModelConfig, TrainConfig, PredictConfig)
UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}
# Fields of ModelConfig that `mixers` replaced; recipes, files and command lines may still have them.
OLD_KEYS: dict[str, type] = {"mixer": str, "convolution": int, "peers": bool, "neighbours": bool}
OLD_MIXERS = {"attention": ("attention",), "mlp": ("position_mlp",), "none": ()}
OLD_ORDER = ("attention", "position_mlp", "convolution", "group_sums", "neighbours")


def seconds_from(text: str) -> float:
    """`90s`, `25m`, `11h` (or a sum such as `1h30m`) in seconds; ConfigError for anything else."""
    parts = re.findall(r"(\d+(?:\.\d+)?)([smh])", text, re.ASCII)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ConfigError(f"{text!r} is not a duration; write 90s, 25m or 11h")
    seconds = sum(float(number) * UNITS[unit] for number, unit in parts)
    if seconds <= 0:
        raise ConfigError(f"{text!r}: a duration must be longer than nothing")
    return seconds


def from_mapping(kind: type[AnyConfig], values: dict[str, Any]) -> AnyConfig:
    """A config from plain values; ConfigError for an unknown key suggests a similar one."""
    return with_values(kind(), values)


def with_values(config: AnyConfig, values: dict[str, Any]) -> AnyConfig:
    """`config` with some fields replaced; text is parsed as the field's type."""
    hints = known_keys(config)
    parsed = {}
    for key, value in values.items():
        if key not in hints:
            raise ConfigError(unknown_key(key, list(hints)))
        parsed[key] = _parsed(key, value, hints[key])
    if isinstance(config, ModelConfig) and not OLD_KEYS.keys().isdisjoint(parsed):
        parsed = _in_new_keys(config.mixers, parsed)
    return dataclasses.replace(config, **parsed)


def known_keys(config: AnyConfig) -> dict[str, Any]:
    """The type of every value that `with_values` takes."""
    return get_type_hints(type(config)) | (OLD_KEYS if isinstance(config, ModelConfig) else {})


def _in_new_keys(mixers: tuple[str, ...], values: dict[str, Any]) -> dict[str, Any]:
    """The values without old keys, each of which adds a mixer or removes one."""
    old = {key: values[key] for key in OLD_KEYS if key in values}
    new = {key: value for key, value in values.items() if key not in OLD_KEYS}
    named = set(new.get("mixers", mixers))
    if "mixer" in old:
        _choice("mixer", old["mixer"], tuple(OLD_MIXERS))
        named = (named - {"attention", "position_mlp"}) | {*OLD_MIXERS[old["mixer"]]}
    for key, name in (("convolution", "convolution"), ("peers", "group_sums"), ("neighbours", "neighbours")):
        if key in old:
            named = named | {name} if old[key] else named - {name}
    if old.get("convolution"):
        new["kernel_size"] = old["convolution"]
    others = [name for name in new.get("mixers", mixers) if name in named and name not in OLD_ORDER]
    return new | {"mixers": (*(name for name in OLD_ORDER if name in named), *others)}


def unknown_key(key: str, known: list[str], preset: str = "PRESET") -> str:
    """The message for an unknown field, of a recipe based on `preset`."""
    return f"unknown setting {key!r}" + (
        did_you_mean(key.rpartition(".")[2], known) or f"; `arc-solve info {preset}` lists them"
    )


def apply_settings(preset: Preset, settings: list[str]) -> Preset:
    """`preset` with `key=value` settings; a key belongs to the config that has it (train before predict)."""
    owners = {part: list(known_keys(getattr(preset, part))) for part in ("model", "train", "predict")}
    values: dict[str, dict[str, str]] = {part: {} for part in owners}
    for setting in settings:
        key, equals, value = setting.partition("=")
        key = key.strip()
        _require(bool(equals), f"--set {setting!r}: expected key=value")
        part, _, field = key.rpartition(".")
        having = [name for name, fields in owners.items() if field in fields and part in ("", name)]
        if not having:
            known = [field for fields in owners.values() for field in fields]
            raise ConfigError(unknown_key(key, known, preset.name))
        values[having[0]][field] = value
    # All settings of a config at once: one of them alone may be impossible.
    changed = {part: with_values(getattr(preset, part), values[part]) for part in owners}
    return dataclasses.replace(preset, **changed)


def _parsed(key: str, value: Any, hint: Any) -> Any:
    if get_origin(hint) is tuple:
        return _names(key, value)
    kind = get_args(hint)[0] if get_args(hint) else hint
    try:
        if kind is bool:
            if isinstance(value, str):
                return {"true": True, "false": False, "1": True, "0": False}[value.strip().lower()]
            if isinstance(value, bool):
                return value
            raise ValueError
        if kind is int and (isinstance(value, bool) or (isinstance(value, float) and value != int(value))):
            raise ValueError
        if kind is float and isinstance(value, bool):
            raise ValueError
        if kind is str and not isinstance(value, str):
            raise ValueError
        result = kind(value.strip() if isinstance(value, str) else value)
    except (ValueError, TypeError, KeyError, OverflowError):
        raise ConfigError(f"{key}={value!r}: expected {kind.__name__}") from None
    if isinstance(result, float) and math.isnan(result):
        raise ConfigError(f"{key}={value!r}: expected a number")
    return result


def _names(key: str, value: Any) -> tuple[str, ...]:
    """Names separated by commas, or a list of names."""
    listed = [name.strip() for name in value.split(",")] if isinstance(value, str) else value
    if not isinstance(listed, list | tuple) or not all(isinstance(name, str) for name in listed):
        raise ConfigError(f"{key}={value!r}: expected names with commas between them")
    return tuple(name for name in listed if name)
