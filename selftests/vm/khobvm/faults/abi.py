# SPDX-License-Identifier: GPL-2.0-only
"""The layout of KHO, as abi-gen has emitted it for Python (abi-gen/goldens)."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

from khobvm.errors import VmError

_ABI = Path(__file__).resolve().parents[4] / "abi-gen" / "goldens" / "kho_v4_4k.py"


def load_abi(path: Path = _ABI) -> ModuleType:
    """The module that abi-gen has emitted."""
    spec = importlib.util.spec_from_file_location("khob_abi", path)
    if spec is None or spec.loader is None or not path.exists():
        raise VmError(f"{path} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
