#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Makes everything that is committed out of the schemas, or checks that it is up to date.

OUTPUTS is the one list of what is generated and where it goes.
"""

from __future__ import annotations

import argparse
import difflib
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ABI = "abi-gen/schema/kho.yaml"
DEVICE = "abi-gen/schema/device.yaml"
LIVEUPDATE = "abi-gen/schema/liveupdate.yaml"
SESSIONS = "abi-gen/schema/sessions.yaml"
LUO = "abi-gen/schema/luo.yaml"
MEMFD = "abi-gen/schema/memfd.yaml"
MEMBLOCK = "abi-gen/schema/memblock.yaml"
LATE_ROOM = "abi-gen/schema/late_room.yaml"
KEEP = "abi-gen/schema/keep.yaml"
RESERVE_MEM = "abi-gen/schema/reserve_mem.yaml"
LIBKHO = "libkho/index.yaml"
OUTPUTS = {
    "module/include/khob/abi.h": (ABI, "--lang", "kernel-c"),
    "tools/include/khob/abi.hpp": (ABI, "--lang", "cpp"),
    "selftests/unit/core/vectors.inc": (ABI, "--lang", "c-vectors"),
    "abi-gen/goldens/model-4k.json": (ABI, "--lang", "json-model"),
    "abi-gen/goldens/vectors.json": (ABI, "--lang", "json-vectors"),
    "abi-gen/goldens/kho_v4_4k.py": (ABI, "--lang", "python", "--abi", "kho-v4"),
    "docs/abi.rst": (ABI, "--lang", "rst"),
    "module/include/khob/luo.h": (LUO, "--lang", "kernel-c"),
    "tools/include/khob/luo.hpp": (LUO, "--lang", "cpp"),
    "abi-gen/goldens/luo.json": (LUO, "--lang", "json-model"),
    "selftests/vm/khobvm/luo.py": (LUO, "--lang", "python"),
    "docs/luo.rst": (LUO, "--lang", "rst"),
    "module/include/khob/memfd.h": (MEMFD, "--lang", "kernel-c"),
    "tools/include/khob/memfd.hpp": (MEMFD, "--lang", "cpp"),
    "abi-gen/goldens/memfd.json": (MEMFD, "--lang", "json-model"),
    "selftests/vm/khobvm/memfd.py": (MEMFD, "--lang", "python"),
    "docs/memfd.rst": (MEMFD, "--lang", "rst"),
    "module/include/khob/memblock.h": (MEMBLOCK, "--lang", "kernel-c"),
    "docs/memblock.rst": (MEMBLOCK, "--lang", "rst"),
    "module/include/khob/reserve_mem.h": (RESERVE_MEM, "--lang", "kernel-c"),
    "docs/reserve_mem.rst": (RESERVE_MEM, "--lang", "rst"),
    "module/include/khob/late_room.h": (LATE_ROOM, "--lang", "kernel-c"),
    "selftests/vm/khobvm/late_room.py": (LATE_ROOM, "--lang", "python"),
    "docs/late_room.rst": (LATE_ROOM, "--lang", "rst"),
    "module/include/khob/keep.h": (KEEP, "--lang", "kernel-c"),
    "selftests/vm/khobvm/keep.py": (KEEP, "--lang", "python"),
    "docs/keep.rst": (KEEP, "--lang", "rst"),
    "module/include/uapi/linux/kho_bridge.h": (DEVICE, "--lang", "kernel-c"),
    "tools/include/khob/device.hpp": (DEVICE, "--lang", "cpp"),
    "abi-gen/goldens/device.json": (DEVICE, "--lang", "json-model"),
    "selftests/vm/khobvm/device.py": (DEVICE, "--lang", "python"),
    "docs/device.rst": (DEVICE, "--lang", "rst"),
    "module/include/uapi/linux/liveupdate.h": (LIVEUPDATE, "--lang", "kernel-c"),
    "tools/include/khob/liveupdate.hpp": (LIVEUPDATE, "--lang", "cpp"),
    "abi-gen/goldens/liveupdate.json": (LIVEUPDATE, "--lang", "json-model"),
    "selftests/vm/khobvm/liveupdate.py": (LIVEUPDATE, "--lang", "python"),
    "docs/liveupdate.rst": (LIVEUPDATE, "--lang", "rst"),
    "module/include/uapi/linux/kho_luo.h": (SESSIONS, "--lang", "kernel-c"),
    "tools/include/khob/sessions.hpp": (SESSIONS, "--lang", "cpp"),
    "abi-gen/goldens/sessions.json": (SESSIONS, "--lang", "json-model"),
    "docs/sessions.rst": (SESSIONS, "--lang", "rst"),
    "libkho/index_abi.h": (LIBKHO, "--lang", "kernel-c"),
    "docs/libkho_index.rst": (LIBKHO, "--lang", "rst"),
}
MAX_DIFF_LINES = 60


def generate(abi_gen: pathlib.Path, root: pathlib.Path, to: pathlib.Path) -> None:
    """Generate every output below to from the schemas below root."""
    for output, (schema, *arguments) in OUTPUTS.items():
        subprocess.run(
            [str(abi_gen), "emit", "--schema", str(root / schema), "--schema-name", schema]
            + [*arguments, "--output", str(to / output)],
            check=True,
        )


def differences(root: pathlib.Path, made: pathlib.Path) -> list[str]:
    """Return a diff from what is committed to what was made now."""
    lines: list[str] = []
    for path in OUTPUTS:
        old = root / path
        lines += difflib.unified_diff(
            old.read_text().splitlines() if old.exists() else [],
            (made / path).read_text().splitlines(),
            f"committed/{path}",
            f"generated/{path}",
            lineterm="",
        )
    return lines


def main() -> int:
    """Regenerate, or check with --check DIR."""
    parser = argparse.ArgumentParser(
        description="Generate what is committed from the schemas.",
        epilog="example: regenerate.py --abi-gen build/abi-gen/abi-gen",
    )
    parser.add_argument("--abi-gen", type=pathlib.Path, required=True, help="the program")
    parser.add_argument(
        "--root", type=pathlib.Path, default=HERE.parent, help="top of the source tree"
    )
    parser.add_argument(
        "--check", action="store_true", help="change nothing, fail with a diff if it is stale"
    )
    args = parser.parse_args()
    try:
        if not args.check:
            generate(args.abi_gen, args.root, args.root)
            return 0
        with tempfile.TemporaryDirectory() as scratch:
            generate(args.abi_gen, args.root, pathlib.Path(scratch))
            diff = differences(args.root, pathlib.Path(scratch))
    except subprocess.CalledProcessError as error:
        return error.returncode
    if diff:
        print("\n".join(diff[:MAX_DIFF_LINES]))
        if len(diff) > MAX_DIFF_LINES:
            print(f"... and {len(diff) - MAX_DIFF_LINES} more lines")
        print("regenerate.py: run: cmake --build build --target abi", file=sys.stderr)
    return 1 if diff else 0


if __name__ == "__main__":
    sys.exit(main())
