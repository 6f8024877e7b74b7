# SPDX-License-Identifier: GPL-2.0-only
"""/dev/kho_bridge: what programs may do with it, without debugfs, and killed at any moment."""

from __future__ import annotations

from cases.blocks import (CMDLINE, DEBUGFS, EXEC, FILE, GET, INSMOD, PUT, RELEASE, RESTORE, RMMOD,
                          ATTACH, STATUS, UNLOAD, VERIFY, chain, count_is, load, preserve)
from khobvm.case import Case, Generation, Step

_KEXEC = "kexec-tools:/sbin/kexec"
_NO_DEBUGFS = Step("no debugfs", "test ! -e /sys/kernel/debug/kho_bridge")
# What other modules hand over is told as well.
_CLIENTS_ARE_SEEN = tuple(
    Step(f"poll tells of {what}", f"khob-device watch '{what}'", lacks="not ok")
    for what in ("insmod /lib/modules/$(uname -r)/extra/test_kho.ko", "rmmod test_kho"))
# The kernels that are built for the tests know no lockdown.
_LOCKED_DOWN = Step("locked down", "khob-device lockdown", lacks="not ok")
_SAYS = "another kernel has been loaded"


def _device(kernel: str, extra: str = "", suite: str = "stock") -> Case:
    """What khoctl never does with the device."""
    return Case(f"device-{kernel}" + ("-native" if extra else ""),
                f"sizes, lists at any speed, mmap, poll, and whose a freeze is, on {kernel}",
                (chain(kernel, INSMOD, preserve(64, order="0"),
                       Step("as a program", "khob-device > /tmp/said; code=$?; grep -v '^ok' "
                                            "/tmp/said; wc -l < /tmp/said; exit $code",
                            lacks="not ok"),
                       count_is("out.subtrees", "0"), count_is("scratch.areas", "0"),
                       Step("powerless", "khob-device powerless", lacks="not ok"),
                       *(() if extra else (*_CLIENTS_ARE_SEEN, _LOCKED_DOWN))),),
                memory=512, helpers=("khob-device",), extra_cmdline=extra,
                clients=() if extra else ("test_kho",), tags=("device",), suite=suite)


def _killed(kernel: str, method: str, extra: str = "", suite: str = "stock") -> Case:
    """khoctl is killed before and behind each call that changes something."""
    command = (f"khoctl load /boot/vmlinuz-{kernel} --cmdline '{CMDLINE}2 {extra}' "
               f"{method} --json")
    # As it was: nothing is frozen; or wholly loaded, and then that can be undone.
    loop = ("i=1; loaded=0; while :; do "
            f"khob-kill $i {command} > /tmp/killed 2>&1; code=$?; "
            "test $code = 40 && break; test $code = 0 || { cat /tmp/killed; exit 1; }; "
            f"is=$(sed -n 's/^out.state: //p' {DEBUGFS}/status)$(cat /sys/kernel/kexec_loaded); "
            "case $is in open0) ;; frozen1) loaded=$((loaded + 1)); khoctl unload > /dev/null ;; "
            "*) echo moment $i: $is; cat /tmp/killed; exit 1 ;; esac; "
            f"grep -q '^scratch.areas: 0' {DEBUGFS}/status || "
            "{ echo moment $i: scratch; exit 1; }; "
            f"cmp {DEBUGFS}/out/keys /tmp/keys || exit 1; i=$((i + 1)); done; "
            "echo $((i - 1)) moments, $loaded times loaded; tail -n 1 /tmp/killed; "
            "test $i -gt 10 && test $loaded -gt 0 && test $loaded -lt $i")
    return Case(f"device-killed-{kernel}" + ("-native" if extra else ""),
                "khoctl load is killed at each of its steps, and all is as before",
                (chain(kernel, INSMOD, preserve(256), FILE, PUT,
                       Step("keys", f"cp {DEBUGFS}/out/keys /tmp/keys; wc -l < /tmp/keys"),
                       Step("kill", loop, timeout=900),
                       # The last one came to its end.
                       count_is("out.state", "frozen"), UNLOAD,
                       Step("keys are as before", f"cmp {DEBUGFS}/out/keys /tmp/keys"),
                       load(kernel, 2, method), EXEC),
                 chain(kernel, ATTACH, VERIFY, RELEASE)),
                memory=1024, helpers=("khob-kill",), extra_cmdline=extra, tags=("device",),
                suite=suite)


def _replaced(kernel: str, extra: str = "", suite: str = "stock") -> Case:
    """Somebody else loads a kernel, or unloads it."""
    other = f"kexec -c -l /boot/vmlinuz-{kernel} --initrd=$KHOB_INITRD " \
            f"--command-line='{CMDLINE}2 {extra}'"
    return Case(f"device-replaced-{kernel}" + ("-native" if extra else ""),
                "another kernel is loaded, or it is unloaded: noticed before any jump",
                (Generation(kernel, (
                    INSMOD, preserve(64), load(kernel, 2, "", "load"), STATUS,
                    Step("kexec -l", other, timeout=120),
                    Step("status", "khoctl status --json", expect=3,
                         contains=('"image": "replaced"', '"loaded_by": "khoctl"',
                                   "another kernel")),
                    Step("doctor", f"khoctl doctor /boot/vmlinuz-{kernel}", expect=3,
                         contains="another kernel"),
                    Step("exec", "khoctl exec", expect=3, contains="another kernel"),
                    Step("the log says it", f"usleep 1500000; dmesg | grep '{_SAYS}'",
                         contains=_SAYS),
                    UNLOAD, load(kernel, 2, "", "load again"), Step("kexec -u", "kexec -u"),
                    Step("status of that", "khoctl status --json", expect=3,
                         contains='"image": "unloaded"'),
                    Step("exec of that", "khoctl exec", expect=3, contains="has unloaded"),
                    UNLOAD, Step("status at the end", "khoctl status --json",
                                 contains='"image": "none"'),
                    load(kernel, 2, "", "load once more"),
                    Step("kexec -l again", other, timeout=120),
                    Step("kexec -e", "kexec -e", final=True))),
                 chain(kernel, Step("nothing came", "khoctl attach", expect=6))),
                memory=1024, programs=(_KEXEC,), extra_cmdline=extra, tags=("device",),
                suite=suite)


def _load_without(name: str) -> Step:
    return Step(name, "khoctl load /boot/vmlinuz-6.12 --initrd $KHOB_INITRD --cmdline "
                      f"'{CMDLINE}2 debugfs=off' --json", timeout=120)


CASES: tuple[Case, ...] = (
    _device("6.1"), _device("6.12"), _killed("6.12", ""), _replaced("6.1"), _replaced("6.12"),
    _device("7.3", "kho=on", "interop"), _killed("7.3", "", "kho=on", "interop"),
    _replaced("7.3", "", "interop"),
    Case("device-no-debugfs", "khoctl hands over where debugfs is off",
         (chain("6.12", INSMOD, _NO_DEBUGFS, FILE, PUT, preserve(4096, scatter="--scatter"),
                Step("doctor", "khoctl doctor /boot/vmlinuz-6.12 --initrd $KHOB_INITRD",
                     contains="verdict: ready"),
                Step("compact", "khoctl compact --json", contains='"left_bytes": 0'),
                Step("abi", "khoctl abi kho-v3"),
                Step("walk", "khoctl walk --out --ranges"),
                Step("ls", "khoctl ls", contains="file"),
                _load_without("load"), UNLOAD, _load_without("load again"), STATUS, EXEC),
          chain("6.12", _NO_DEBUGFS, ATTACH, STATUS, VERIFY, GET,
                Step("release the file", "khoctl release subtree file"), RESTORE, RELEASE,
                Step("bench", "khoctl bench --keys 1024 --json", timeout=300), RMMOD)),
         memory=1024, extra_cmdline="debugfs=off", tags=("device",)),
)
