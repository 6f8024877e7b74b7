# SPDX-License-Identifier: GPL-2.0-only
"""What the commands that run VMs have in common: their options, and who runs the cases."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from khobvm import runner
from khobvm.case import Case
from khobvm.initramfs import Artefacts
from khobvm.kernels import Kernel
from khobvm.progress import Progress
from khobvm.qemu import Accelerator


def add_machine_options(parser: argparse.ArgumentParser) -> None:
    """Which accelerator, and what the guest gets."""
    parser.add_argument("--accel", choices=("auto", "kvm", "tcg"), default="auto",
                        help="auto probes KVM with a short boot")
    parser.add_argument("--build", type=Path, default=Path("build/vm"), metavar="DIR",
                        help="where the guest's init is built")
    parser.add_argument("--khoctl", type=Path, default=Path("build/tools/khoctl/khoctl-static"))
    parser.add_argument("--module", default="build/modules/{release}/module/kho_bridge.ko")
    parser.add_argument("--test-module",
                        default="build/modules-test/{release}/module/kho_bridge.ko")


def add_counting(parser: argparse.ArgumentParser) -> None:
    """A clock that is the same each time."""
    parser.add_argument("--count", dest="counting", action="store_true",
                        help="emulate, with a clock that counts instructions, one a "
                             "nanosecond: independent of what else the host does")


def accelerator(arguments: argparse.Namespace, found: Mapping[str, Kernel],
                artefacts: Artefacts, progress: Progress) -> Accelerator:
    """The one that is asked for; or KVM, if it works here."""
    if getattr(arguments, "counting", False):
        return Accelerator(False, "asked for", counting=True)
    if arguments.accel != "auto":
        return Accelerator(arguments.accel == "kvm", "asked for")
    newest = found.get("6.12") or next(iter(found.values()))
    probed = runner.find_accelerator(newest, artefacts, progress)
    progress.line(f"using {'KVM' if probed.kvm else 'TCG, not KVM'}: {probed.why}")
    return probed


def crew(arguments: argparse.Namespace, cases: Sequence[Case], progress: Progress,
         change: Callable[[Accelerator], Accelerator] = lambda found: found) -> runner.Runner:
    """Who runs these cases; change: of the accelerator that there is."""
    artefacts = Artefacts(arguments.khoctl, arguments.module, arguments.test_module,
                          arguments.build)
    found = runner.load_kernels(cases, progress)
    chosen = change(accelerator(arguments, found, artefacts, progress))
    options = runner.Options(artefacts, chosen, getattr(arguments, "keep", False),
                             getattr(arguments, "timeout_factor", 1.0))
    return runner.Runner(options, found, progress)
