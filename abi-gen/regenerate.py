#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Makes everything that is committed out of the schema, or checks that it is up to date.

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
SCHEMA = "abi-gen/schema/kho.yaml"
OUTPUTS = {
    "module/include/khob/abi.h": ("--lang", "kernel-c"),
    "tools/include/khob/abi.hpp": ("--lang", "cpp"),
    "selftests/unit/core/vectors.inc": ("--lang", "c-vectors"),
    "abi-gen/goldens/model-4k.json": ("--lang", "json-model"),
    "abi-gen/goldens/vectors.json": ("--lang", "json-vectors"),
    "abi-gen/goldens/kho_v4_4k.py": ("--lang", "python", "--abi", "kho-v4"),
    "docs/abi.rst": ("--lang", "rst"),
}
MAX_DIFF_LINES = 60


def generate(abi_gen: pathlib.Path, root: pathlib.Path, to: pathlib.Path) -> None:
    """Generate every output below to from the schema below root."""
    for output, arguments in OUTPUTS.items():
        subprocess.run(
            [str(abi_gen), "emit", "--schema", str(root / SCHEMA), "--schema-name", SCHEMA]
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
        description="Generate what is committed from the schema.",
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
