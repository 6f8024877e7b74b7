# SPDX-License-Identifier: GPL-2.0-only
"""Every refusal: its own message, its exit code, and nothing changed."""

from __future__ import annotations

from cases.blocks import (ATTACH, CMDLINE, DEBUGFS, EXEC, FREE_KIB, INSMOD, RMMOD, UNLOAD, at_least,
                          chain, count_is, load, preserve)
from khobvm.case import Case, Step

_LOAD = f"khoctl load %s --initrd %s --cmdline '{CMDLINE}2'"
_KERNEL = "/boot/vmlinuz-6.12"
# Half of them lie scattered: so many that no 200 MiB are left in one piece, wherever the
# places fall, and so few that each is an interval of its own and no gap is given up.
_SPRINKLED = 120
# What must be the same after a refusal as before it. The kernel itself corrects tsc_khz for
# a second after it has booted.
_LOOK = f"grep -v 'last_error\\|scratch.largest\\|_us:\\|^tsc_khz:' {DEBUGFS}/status; cat " \
        f"{DEBUGFS}/out/keys /sys/kernel/kexec_loaded"


def _refuse(name: str, command: str, contains: str | tuple[str, ...],
            expect: int | tuple[int, ...] = 3) -> Step:
    """A command that must be refused, with the module's state compared around it."""
    return Step(name, f"({_LOOK}) > /tmp/before; {command}; code=$?; ({_LOOK}) > /tmp/after; "
                      "cmp /tmp/before /tmp/after || { echo CHANGED; diff /tmp/before /tmp/after; "
                      "}; exit $code",
                expect=expect, contains=contains, lacks="CHANGED", timeout=120)


def _bad_line(file: str, line: str) -> Step:
    """A control line that gets EINVAL, a sentence in the log and in last_error."""
    return _refuse(f"{file} {line}",
                   f"dmesg > /tmp/log1; echo '{line}' > {DEBUGFS}/{file}; code=$?; "
                   f"dmesg | tail -n 1; grep last_error {DEBUGFS}/status; (exit $code)",
                   ("nvalid argument", "kho_bridge: ", "last_error: "), expect=1)


def _patched(name: str, offset: int, octal: str) -> Step:
    """A copy of the kernel with bytes of its setup header changed."""
    return Step(f"a kernel {name}",
                f"cp {_KERNEL} /tmp/{name} && printf '{octal}' | dd of=/tmp/{name} bs=1 "
                f"seek={offset} conv=notrunc 2>/dev/null")


_BEFORE_MODULE = (
    Step("no module: load", _LOAD % (_KERNEL, "$KHOB_INITRD"), expect=4,
         contains="module"),
    Step("no module: status", "khoctl status", expect=4, contains="module"),
    Step("no module: preserve", "khoctl preserve --pages 1", expect=4, contains="module"),
)

_INPUTS = (
    _refuse("no such kernel", _LOAD % ("/boot/nothing", "$KHOB_INITRD"), "/boot/nothing"),
    _refuse("no such initrd", _LOAD % (_KERNEL, "/nothing"), "/nothing"),
    _refuse("no bzImage", _LOAD % ("/bin/busybox", "$KHOB_INITRD"), "bzImage"),
    # setup_header offsets of Documentation/arch/x86/boot.rst: relocatable_kernel, init_size.
    _patched("fixed", 0x234, "\\000"),
    _refuse("not relocatable", _LOAD % ("/tmp/fixed", "$KHOB_INITRD"), "relocatable"),
    # 384 MiB: less than what memory is left, more than what is free between scattered folios.
    _patched("huge", 0x260, "\\000\\000\\000\\030"),
    _refuse("kernel beyond scratch", _LOAD % ("/tmp/huge", "$KHOB_INITRD"), "do not fit scratch"),
    Step("a large initrd", "truncate -s 200M /tmp/initrd"),
    _refuse("initrd beyond scratch", _LOAD % (_KERNEL, "/tmp/initrd"), "do not fit scratch"),
    Step("drop it", "rm -f /tmp/initrd /tmp/huge /tmp/fixed"),
    _refuse("no command line", f"khoctl load {_KERNEL}", "command line", expect=2),
    _refuse("command line too long", f"khoctl load {_KERNEL} --cmdline "
                                     "\"$(head -c 5000 /dev/zero | tr '\\0' x)\"",
            "command line"),
    _refuse("nothing loaded", "khoctl exec", "no kernel is loaded"),
    _refuse("nothing handed", "khoctl attach", "handed nothing", expect=6),
    _refuse("nothing to verify", "khoctl verify", "", expect=6),
    _refuse("nothing to restore", "khoctl restore all", "", expect=6),
    _refuse("no such subtree", "khoctl unpreserve subtree nothing", "nothing", expect=(1, 3)),
    _refuse("no such page", "khoctl unpreserve 0x1000 0", "0x1000", expect=(1, 3)),
    _refuse("more than there is", "khoctl preserve --pages 100000000 --order 0", "",
            expect=(1, 3)),
    _refuse("no multiple of the order", "khoctl preserve --pages 3 --order 1", "",
            expect=(1, 3)),
)

_LINES = (
    _bad_line("out/preserve", "pages=1"),
    _bad_line("out/preserve", "pages=-1 order=0 seed=1"),
    _bad_line("out/preserve", "pages=1 order=99 seed=1"),
    _bad_line("out/unpreserve", "everything"),
    _bad_line("out/compact", "some"),
    _bad_line("out/put", "a/b 10"),
    _bad_line("out/scratch", "take much"),
    _bad_line("abi", "kho-v9"),
    _bad_line("in/setup_data", "here"),
    _bad_line("sandbox/add", "0"),
)

# Far more than a loader's own 3: one kernel's are none too many, two kernels' are.
_MANY = 600
_ROOT_FDT_HAS = 1024  # module/core/fdt.h, KHOB_SUBTREES_MAX
_TOO_MANY = 2 * _MANY + 3 - _ROOT_FDT_HAS


def _put_many(prefix: str) -> Step:
    return Step(f"put {_MANY}", f"for i in $(seq {_MANY}); do echo {prefix}-$i 8 > "
                                f"{DEBUGFS}/out/put || exit 1; done", timeout=120)


CASES: tuple[Case, ...] = (
    Case("refuse-subtrees", "more subtrees of two kernels than one root FDT names",
         (chain("6.12", INSMOD, _put_many("first"), load("6.12", 2), EXEC),
          chain("6.12", INSMOD, _put_many("second"), ATTACH,
                Step("load", load("6.12", 3).command, expect=3, timeout=120,
                     contains=f"{_MANY} subtrees and {_MANY + 3} of the kernel before and of "
                              f"metadata are more than {_ROOT_FDT_HAS}: "
                              f"unpreserve or release {_TOO_MANY}"),
                Step(f"unpreserve {_TOO_MANY}",
                     f"for i in $(seq {_TOO_MANY}); do echo subtree second-$i > "
                     f"{DEBUGFS}/out/unpreserve || exit 1; done"),
                load("6.12", 3, name=f"load with {_ROOT_FDT_HAS}"), UNLOAD)),
         memory=1024, tags=("refuse",)),

    Case("refuse-load", "what load, exec and the incoming side refuse, module loaded or not",
         (chain("6.12", *_BEFORE_MODULE, INSMOD,
                preserve(_SPRINKLED, order="0", scatter="--scatter 90"), *_INPUTS,
                count_is("out.state", "open"), UNLOAD),),
         memory=1024, kernels=("6.12",), tags=("refuse",)),
    Case("refuse-lines", "control lines that make no sense",
         (chain("6.12", INSMOD, preserve(16), *_LINES, count_is("out.pages", "16"),
                Step("permissions", f"stat -c %a {DEBUGFS} {DEBUGFS}/status "
                                    f"{DEBUGFS}/out/preserve {DEBUGFS}/out/keys",
                     contains="700\n600\n600\n600")),),
         memory=512, tags=("refuse",)),
    Case("refuse-memory", "a covering that leaves the incoming kernel too little memory",
         (chain("6.12", INSMOD, preserve(4096, scatter="--scatter 90"),
                _refuse("too little is left",
                        _LOAD % (_KERNEL, "$KHOB_INITRD") + " --max-ranges 2", "would be left"),
                count_is("out.state", "open"), count_is("scratch.areas", "0")),),
         memory=1024, kernels=("6.12",), tags=("refuse",)),
    Case("refuse-kexec", "kexec switched off, then lockdown",
         (chain("6.12", INSMOD, preserve(16),
                Step("switch kexec off", "echo 1 > /proc/sys/kernel/kexec_load_disabled"),
                _refuse("kexec is off", _LOAD % (_KERNEL, "$KHOB_INITRD"), "kexec_load_disabled"),
                Step("lock down", "echo integrity > /sys/kernel/security/lockdown"),
                Step("locked down", _LOAD % (_KERNEL, "$KHOB_INITRD"), expect=3,
                     contains="locked down")),),
         memory=512, kernels=("6.12",), tags=("refuse",)),
    Case("refuse-rmmod", "the module stays while it owns pages, and leaks nothing when it goes",
         (chain("6.12",
                Step("memory before",
                     "insmod /lib/modules/$(uname -r)/extra/kho_bridge.ko && rmmod kho_bridge; "
                     f"({FREE_KIB}) | tee /tmp/free"),
                INSMOD, preserve(1024),
                Step("in use", "rmmod kho_bridge", expect=1),
                Step("a key", f"echo 0x1000 > {DEBUGFS}/sandbox/add"),
                at_least("a node", "out.pages", 1024),
                Step("unpreserve", "khoctl unpreserve all"), RMMOD,
                Step("again and again",
                     "for i in 1 2 3 4 5 6 7 8 9 10; do "
                     "insmod /lib/modules/$(uname -r)/extra/kho_bridge.ko && "
                     "khoctl preserve --pages 4096 --order mixed --seed $i --scatter && "
                     "khoctl put x /etc/khob/steps.1 && khoctl unpreserve all && "
                     "khoctl unpreserve subtree x && "
                     "rmmod kho_bridge || exit 1; done", timeout=240),
                # Ten rounds of 16 MiB; the tolerance is a tenth of one round.
                Step("memory after",
                     f"before=$(cat /tmp/free); after=$({FREE_KIB}); "
                     "echo before $before after $after KiB; "
                     "test $((before - after)) -lt 1600")),),
         memory=1024, tags=("refuse",)),
    Case("unload-frozen", "rmmod is refused while a kernel is loaded",
         (chain("6.12", INSMOD, load("6.12", 2), Step("in use", "rmmod kho_bridge", expect=1),
                UNLOAD, RMMOD),),
         memory=1024, kernels=("6.12",), tags=("refuse",)),
)
