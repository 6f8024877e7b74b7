# SPDX-License-Identifier: GPL-2.0-only
"""Live update: upstream's own tests of LUO, unaltered, and what they do not test.

Both ends are stock kernels with kho_luo, or a 7.3 with a LUO of its own.
"""

from __future__ import annotations

from cases.blocks import (ATTACH, EXEC, HOLD, INSMOD, INSMOD_LUO, NOTHING, RELEASE, RMMOD,
                          RMMOD_LUO, STATUS, UNLOAD, VERIFY, at_least, chain, count_is)
from cases.payload import KHO
from khobvm.case import Case, Generation, Step
from khobvm.qemu import BASE_CMDLINE

# A kernel with a LUO of its own has no place for another one.
OWN = Step("its own LUO", "ls -l /dev/liveupdate && "
                          "! insmod /lib/modules/$(uname -r)/extra/kho_luo.ko; dmesg | tail -n 4",
           contains="has a Live Update Orchestrator of its own")
OWN_LUO = "kho=on liveupdate=on"
# A block device of RAM, to swap to.
SWAP = Step("swap", "mkswap /dev/ram0 > /dev/null && swapon /dev/ram0 && cat /proc/swaps",
            contains="/dev/ram0")
_HUGE = "echo advise > /sys/kernel/mm/transparent_hugepage/shmem_enabled"
_PRESERVE = Step("preserve", f"{_HUGE}; khob-memfd preserve {HOLD}", lacks="not ok", timeout=300)
_RETRIEVE = Step("retrieve", "khob-memfd retrieve", lacks="not ok", timeout=300)
_RETRIEVE_OWN = Step("retrieve", "khob-memfd upstream", lacks="not ok", timeout=300)
_COPIED = Step("retrieve", "khob-memfd copied", lacks="not ok", timeout=300)
# Each has sessions of its own, so that all of them are handed over at once: 500 memfds in one,
# 2,000 sessions in another.
_PROGRAMS = {
    "luo_kexec_simple": "SIMPLE KEXEC TEST PASSED",
    "luo_multi_session": "MULTI-SESSION KEXEC TEST PASSED",
    "luo_stress_files": "PASSED",
    "luo_stress_sessions": "PASSED",
}
_STAGE_1 = tuple(Step(f"{name} stage 1", f"{name} -s 1 {HOLD}", timeout=300)
                 for name in _PROGRAMS)
_STAGE_2 = tuple(Step(f"{name} stage 2", f"{name} -s 2", contains=passed, timeout=300)
                 for name, passed in _PROGRAMS.items())


def load(kernel: str, generation: int, options: str = "") -> Step:
    """What a LUO of the kernel's own needs on its command line a load adds."""
    return Step("load", f"khoctl load /boot/vmlinuz-{kernel} --initrd $KHOB_INITRD --cmdline "
                        f"'{BASE_CMDLINE} khob.gen={generation}' {options} --json",
                contains=f'"added_liveupdate_on": {str(kernel == KHO).lower()}', timeout=120)


def suite(*kernels: str) -> str:
    return "interop" if KHO in kernels else "stock"


def _upstream(kernel: str) -> Case:
    """All tests of upstream's that need no kexec."""
    tests = Step("liveupdate", "liveupdate", contains="pass:15 fail:0", timeout=300)
    own = kernel == KHO
    steps = (OWN, tests) if own else (INSMOD, INSMOD_LUO, tests, *NOTHING, RMMOD_LUO, RMMOD)
    return Case(f"luo-liveupdate-{kernel}",
                f"upstream's liveupdate tests, unaltered, on {kernel}",
                (chain(kernel, *steps),), extra_cmdline=OWN_LUO if own else "",
                luo=True, upstream=("liveupdate",), tags=("luo",), suite=suite(kernel))


def _before(kernel: str, after: str) -> Generation:
    luo = (INSMOD, OWN) if kernel == KHO else (INSMOD, INSMOD_LUO)
    folios = () if kernel == KHO else (at_least("folios", "out.folios", 2500),)
    return chain(kernel, *luo, SWAP, _PRESERVE, *_STAGE_1, *folios, load(after, 2), EXEC)


def _after(before: str, kernel: str) -> Generation:
    if kernel == KHO:
        return chain(kernel, OWN, _RETRIEVE_OWN, *_STAGE_2)
    # All that was handed over belongs to somebody again, or to nobody. A kernel's own KHO hands
    # over no digests.
    verify = () if before == KHO else (VERIFY,)
    return chain(kernel, ATTACH, STATUS, *verify, INSMOD_LUO, _RETRIEVE, *_STAGE_2,
                 count_is("in.pages", "0"), *NOTHING, RMMOD_LUO, RELEASE, RMMOD)


def _pair(before: str, after: str) -> Case:
    return Case(f"luo-{before}-{after}",
                f"upstream's tests, and memfds of all kinds, from {before} to {after}",
                (_before(before, after), _after(before, after)), memory=4096, cpus=2,
                extra_cmdline=OWN_LUO if before == KHO else "", luo=True,
                upstream=tuple(_PROGRAMS), helpers=("khob-memfd",), drivers=("brd",),
                tags=("luo",), suite=suite(before, after))


_ADOPT = Step("adopt", "mkdir /tmp/cgroup && mount -t cgroup2 cgroup2 /tmp/cgroup && "
                       "khob-adopt /tmp/cgroup", lacks="not ok", timeout=600)


def _adopt(kernel: str) -> Case:
    """What comes back is a file like any other, and counted so."""
    return Case(f"luo-adopt-{kernel}", f"memfds that came back are used in every way, on {kernel}",
                (chain(kernel, INSMOD, INSMOD_LUO, SWAP, _PRESERVE, load(kernel, 2), EXEC),
                 chain(kernel, ATTACH, VERIFY, INSMOD_LUO, SWAP, _ADOPT, count_is("in.pages", "0"),
                       *NOTHING, RMMOD_LUO, RELEASE, RMMOD)),
                memory=4096, cpus=2, luo=True, helpers=("khob-memfd", "khob-adopt"),
                drivers=("brd",), tags=("luo",))


def _session(what: str, contains: str | tuple[str, ...], name: str = "") -> Step:
    return Step(name or what, f"khoctl session {what}", contains=contains)


def _late(before: str, after: str) -> Case:
    """As systemd does it: preserved in the late room, when the next kernel is loaded already."""
    kernels = before if before == after else f"{before}-{after}"
    ls = _session("ls --json", ('"name": "khob-memfd-late"', '"state": "outgoing"',
                                '"files": 6', '"holder": "khob-memfd ('), "sessions")
    back = Step("late-retrieve", "khob-memfd late-retrieve", lacks="not ok", timeout=120)
    # A kernel's own LUO knows of no room: what was not used of it is still held there.
    retrieved = chain(after, OWN, back, INSMOD, ATTACH, at_least("unused", "in.pages", 100),
                      RELEASE, count_is("in.pages", "0"), RMMOD) if after == KHO else \
        chain(after, ATTACH, STATUS, VERIFY, INSMOD_LUO,
              _session("ls --json", '"state": "waiting"'), back,
              # Neither its own pages nor those of the room that were not used are left.
              count_is("in.pages", "0"), *NOTHING, RMMOD_LUO, RELEASE, RMMOD)
    return Case(f"luo-late-{kernels}",
                f"memfds that are preserved after the load, from {before} to {after}",
                (chain(before, INSMOD, INSMOD_LUO, load(after, 2, "--late-room 16"),
                       Step("late", f"{_HUGE}; khob-memfd late {HOLD}", lacks="not ok",
                            timeout=120), ls,
                       # They stay in what is handed over, and can be handed over again.
                       UNLOAD, load(after, 2, "--late-room 0"), EXEC),
                 retrieved),
                luo=True, helpers=("khob-memfd",), tags=("luo",), suite=suite(before, after))


# Upstream's script for the jump, unaltered: the kexec that it finds is khoctl's.
_DO_KEXEC = Case("luo-do-kexec", "upstream's do_kexec.sh, with a kexec in PATH that calls khoctl",
                 (chain("6.12", INSMOD, INSMOD_LUO,
                        Step("stage 1", f"luo_kexec_simple -s 1 {HOLD}"),
                        Step("do_kexec.sh", "KERNEL=/boot/vmlinuz-6.12 INITRAMFS=$KHOB_INITRD "
                                            "KEXEC_APPEND=khob.gen=2 do_kexec.sh",
                             timeout=180, final=True)),
                  chain("6.12", ATTACH, VERIFY, INSMOD_LUO,
                        Step("stage 2", "luo_kexec_simple -s 2",
                             contains=_PROGRAMS["luo_kexec_simple"]),
                        count_is("in.pages", "0"), *NOTHING)),
                 luo=True, upstream=("luo_kexec_simple", "do_kexec.sh"),
                 scripts=("packaging/kexec/kexec",), tags=("luo",))

# What nobody retrieves goes on to the next kernel, and on; until somebody does, or drops it.
_CARRY = Case("luo-carry", "sessions that nobody retrieves go from kernel to kernel",
              (chain("6.12", INSMOD, INSMOD_LUO, SWAP, _PRESERVE,
                     Step("stage 1", f"luo_kexec_simple -s 1 {HOLD}"), load("6.12", 2), EXEC),
               chain("6.12", ATTACH, VERIFY, INSMOD_LUO,
                     _session("show khob-memfd --json", ('"state": "waiting"', '"files": 11',
                                                         '"left": 11'), "waits"),
                     load("6.1", 3), STATUS, EXEC),
               chain("6.1", ATTACH, VERIFY, INSMOD_LUO,
                     _session("ls", ("khob-memfd", "test-session", "kexec_simple_state"), "ls"),
                     _RETRIEVE,
                     *(_session(f"drop {name} --json", f'"dropped": "{name}"')
                       for name in ("test-session", "kexec_simple_state")),
                     Step("drop again", "khoctl session drop test-session", expect=4,
                          contains="left no session"),
                     count_is("in.pages", "0"), *NOTHING, RMMOD_LUO, RELEASE, RMMOD)),
              memory=4096, luo=True, upstream=("luo_kexec_simple",), helpers=("khob-memfd",),
              drivers=("brd",), tags=("luo",))


def _debug(kernel: str, back: Step) -> Case:
    """CONFIG_DEBUG_VM, and what else the kernel watches with; its own KHO, and so LUO, is off.

    Large folios are copied there.
    """
    steps = (INSMOD, INSMOD_LUO)
    return Case(f"luo-debug-{kernel}", f"memfds of all kinds, from and to {kernel} without KHO",
                (chain(kernel, *steps, SWAP, _PRESERVE,
                       Step("load", f"khoctl load /boot/vmlinuz-{kernel} --initrd $KHOB_INITRD "
                                    f"--cmdline '{BASE_CMDLINE} kho=off khob.gen=2' --json",
                            contains='"method": "indirect"', timeout=300), EXEC),
                 chain(kernel, ATTACH, VERIFY, INSMOD_LUO,
                       SWAP, back,
                       count_is("in.pages", "0"), *NOTHING, RMMOD_LUO, RELEASE, RMMOD)),
                memory=4096, cpus=2, extra_cmdline="kho=off", luo=True, luo_over_bridge=True,
                helpers=("khob-memfd", "khob-adopt"), drivers=("brd",), tags=("luo",),
                suite="interop", boot=180)


def _own_kho(kernel: str) -> Case:
    """The kernel has a KHO of its own, at work, and no LUO: kho_luo is a client of that KHO."""
    arrived = Step("no bridge", "! grep kho_bridge /proc/modules && "
                                "test -d /sys/kernel/debug/kho/in")
    # A second one would find there again what the first has given away.
    stays = Step("it stays", "! rmmod kho_luo")
    return Case(f"luo-own-kho-{kernel}", f"memfds of all kinds over {kernel}'s own KHO",
                (chain(kernel, INSMOD_LUO, SWAP, _PRESERVE, INSMOD,
                       Step("load", f"khoctl load /boot/vmlinuz-{kernel} --initrd $KHOB_INITRD "
                                    f"--cmdline '{BASE_CMDLINE} kho=on kho_scratch=100% "
                                    "khob.gen=2' --json",
                            contains='"added_liveupdate_on": false', timeout=300), EXEC),
                 chain(kernel, arrived, INSMOD_LUO, _COPIED, stays)),
                memory=4096, cpus=2, extra_cmdline="kho=on kho_scratch=100%", luo=True,
                helpers=("khob-memfd",), drivers=("brd",), tags=("luo",), suite="interop",
                boot=180)


_KERNELS = ("6.1", "6.12", KHO)

CASES: tuple[Case, ...] = (
    *(_upstream(kernel) for kernel in _KERNELS),
    *(_pair(before, after) for before in _KERNELS for after in _KERNELS),
    _late("6.12", "6.12"), _late("6.1", "6.12"), _late("6.12", "6.1"), _late("6.12", KHO), _CARRY,
    _debug(KHO, _COPIED), _debug(f"{KHO}-lockdep", _ADOPT), _debug(f"{KHO}-kasan", _ADOPT),
    _own_kho(f"{KHO}-kasan"), _DO_KEXEC, _adopt("6.12"), _adopt("6.1"),
)
