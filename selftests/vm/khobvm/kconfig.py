# SPDX-License-Identifier: GPL-2.0-only
"""Compares a kernel's configuration with the fragment that was asked for.

Kconfig drops in silence what it cannot have. Here that is an error which names the
option, and what stands in its way as far as its own definition tells.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from khobvm.errors import VmError

_SET = re.compile(r"CONFIG_(\w+)=(.*)")
_UNSET = re.compile(r"# CONFIG_(\w+) is not set")
_ENTRY = re.compile(r"(?:menu)?config\s+(\w+)$")
_DEPENDS = re.compile(r"depends\s+on\s+(.+)")
_PROMPT = re.compile(r"(?:bool|tristate|string|int|hex|prompt)\s+\"[^\"]*\"(?:\s+if\s+(.+))?")
_BLOCK_END = re.compile(r"(?:menu)?config\s|(?:if|endif|menu|endmenu|choice|endchoice|source"
                        r"|comment)\b")


def parse(text: str) -> dict[str, str]:
    """The options of a .config or of a fragment; "n" for one that is not set."""
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        match = _SET.fullmatch(line) or _UNSET.fullmatch(line)
        if match:
            found[match[1]] = match[2] if match.re is _SET else "n"
        elif line.strip() and not line.startswith("#"):
            raise VmError(f"line {number} of the configuration is none: {line}",
                          "a line is CONFIG_X=value or # CONFIG_X is not set")
    return found


def _lines(text: str) -> Iterator[str]:
    """Lines without indentation and comments, continued ones joined, help texts left out."""
    # The indentation of the help text that is being read: -1 for none, 0 before its start.
    prose = -1
    for line in re.sub(r"\\\n", " ", text).expandtabs().splitlines():
        indent = len(line) - len(line.lstrip())
        prose = (indent or -1) if prose == 0 and line.strip() else prose
        if not line.strip() or indent >= prose > 0:
            continue
        prose = 0 if line.strip() == "help" else -1
        yield re.sub(r"\s+#.*", "", " ".join(line.split()))


def conditions(text: str, option: str) -> tuple[bool, list[str]] | None:
    """Whether an option has a prompt in a Kconfig file, and what it depends on there."""
    around: list[str] = []
    needs: list[str] = []
    defined = prompt = inside = False
    for line in _lines(text):
        entry = _ENTRY.fullmatch(line)
        if entry and entry[1] == option:
            defined = inside = True
            needs += around
        elif _BLOCK_END.match(line):
            inside = False
        elif inside:
            if depends := _DEPENDS.fullmatch(line):
                needs.append(depends[1])
            if visible := _PROMPT.match(line):
                prompt = True
                needs += [visible[1]] if visible[1] else []
        if line.startswith("if "):
            around.append(line[3:])
        elif line == "endif" and around:
            around.pop()
    return (prompt, needs) if defined else None


def _kconfigs(tree: Path) -> Iterator[Path]:
    for path in sorted(tree.rglob("Kconfig*")):
        parts = path.relative_to(tree).parts
        if parts[0] != "arch" or len(parts) == 2 or parts[1] == "x86":
            yield path


def explain(tree: Path, option: str, config: Mapping[str, str]) -> str:
    """Why an option may not have come out, from its definition."""
    found = [c for path in _kconfigs(tree)
             if (c := conditions(path.read_text(encoding="utf-8", errors="replace"), option))]
    if not found:
        return "this kernel has no such option"
    needs = list(dict.fromkeys(need for _, more in found for need in more))
    said = [] if any(prompt for prompt, _ in found) else \
        ["it has no prompt: another option has to select it"]
    if needs:
        names = dict.fromkeys(n for need in needs for n in re.findall(r"\b[A-Z0-9_]+\b", need))
        values = ", ".join(f"{name}={config.get(name, 'n')}" for name in names)
        said.append(f"it depends on {' && '.join(f'({n})' for n in needs)}, with {values}")
    return "; ".join(said) or "it depends on nothing in its own file"


def check(tree: Path, fragment: Mapping[str, str], config: Mapping[str, str],
          where: str = "kho.config") -> None:
    """Every option of a fragment, of files `where`, has its value in a tree's configuration."""
    wrong = [f"CONFIG_{name}: asked for {value}, came out as {config.get(name, 'n')}: "
             f"{explain(tree, name, config)}"
             for name, value in fragment.items() if config.get(name, "n") != value]
    if wrong:
        raise VmError("\n".join(["the configuration is not what was asked for", *wrong]),
                      f"correct {where} in selftests/kernels")
