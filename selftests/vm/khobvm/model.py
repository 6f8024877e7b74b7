# SPDX-License-Identifier: GPL-2.0-only
"""What a soak hands over: for each generation what it has to find, and what it changes.

All of it follows from a seed. A generation's choices come from a random stream of its own, so
that a shorter soak of the same seed begins like a longer one.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

# KiB of test pages, blobs and clients' memory that are held at most, each.
PAGES_MOST = 6144
BLOBS_MOST = 10
BLOB_MOST = 1 << 20
ITEMS_MOST = 8
# Few names, so that one that is free is taken again for other contents.
_NAMES = 14
_ORDERS = (0, 0, 0, 1, 2, 3, 4, 5, 7, 9)
_SEQ_STEP = 150_000
# A chunk of kho's list of a vmalloc area's pages has a page: a pointer, and these.
_CHUNK_PAGES = 511
# What the client's table takes (struct table in client/khob_keep/keep.c).
TABLE_PAGES = 2


class Client(Enum):
    """Whose API the client module uses in a generation."""

    ABSENT = "absent"
    BRIDGE = "kho_bridge"
    KERNEL = "the kernel"


@dataclass(frozen=True)
class Place:
    """A kernel as the model sees it: its name, whether its own KHO is on, ABIs it takes.

    The last ABI is the one that the loader takes if it is not told.
    """

    name: str
    native: bool
    abis: tuple[str, ...]


@dataclass(frozen=True)
class Blob:
    """A subtree: the first bytes of `seq START ...`, which never repeats itself.

    made: by which generation.
    """

    name: str
    size: int
    start: int
    made: int = 0

    @property
    def pages(self) -> int:
        """That it takes."""
        return -(-self.size // 4096)

    def content(self) -> bytes:
        """Its bytes."""
        lines: list[str] = []
        room = self.size
        number = self.start
        while room > 0:
            lines.append(f"{number}\n")
            room -= len(lines[-1])
            number += 1
        return "".join(lines).encode()[:self.size]

    def sha256(self) -> str:
        """Of its bytes."""
        return hashlib.sha256(self.content()).hexdigest()


@dataclass(frozen=True)
class Item:
    """Memory that the client keeps. kind: "folio", "pages" or "vmalloc"."""

    name: str
    kind: str
    pages: int
    seed: int

    @property
    def preserved(self) -> int:
        """Pages that are preserved for it: of a vmalloc area also the list's."""
        return self.pages + (-(-self.pages // _CHUNK_PAGES) if self.kind == "vmalloc" else 0)

    def line(self) -> str:
        """As the client lists it."""
        return f"{self.name} {self.kind} {self.pages} {self.seed}"


@dataclass
class Held:
    """What one kernel has to find. folios: test pages' folios by order.

    saved: the client has handed its items over, and not taken them back.
    foreign: it did so over a kernel's own KHO, and whoever carries them knows.
    others: so that here they are left to the kernel's own KHO.
    copied: kho-v2 made a copy of the client's table, which has to be released as well; the
    table's own pages came besides, as data.
    """

    folios: dict[int, int] = field(default_factory=dict)
    blobs: dict[str, Blob] = field(default_factory=dict)
    items: dict[str, Item] = field(default_factory=dict)
    saved: bool = False
    foreign: bool = False
    others: bool = False
    copied: bool = False

    def copy(self) -> Held:
        """One that can be changed by itself."""
        return replace(self, folios=dict(self.folios), blobs=dict(self.blobs),
                       items=dict(self.items))

    @property
    def pages(self) -> int:
        """Test pages."""
        return sum(count << order for order, count in self.folios.items())

    @property
    def records(self) -> int:
        """Folios and blobs whose contents kho_bridge recorded."""
        return sum(self.folios.values()) + len(self.blobs)

    def orders(self) -> str:
        """The test pages' folios as status lists them."""
        return " ".join(f"{o}:{n}" for o, n in sorted(self.folios.items()) if n)

    def client_pages(self) -> int:
        """The client's items."""
        return sum(item.preserved for item in self.items.values())

    def client_data(self) -> int:
        """Pages of the client's that kho_bridge takes for data: all but the table, a blob."""
        if not self.saved or self.others:
            return 0
        return self.client_pages() + int(self.copied) * TABLE_PAGES

    def add(self, order: int, count: int) -> None:
        """More folios, or fewer."""
        self.folios[order] = self.folios.get(order, 0) + count


@dataclass(frozen=True)
class Folios:
    """So many folios of one order."""

    order: int
    count: int


@dataclass(frozen=True)
class Preserve:
    """A call of `khoctl preserve`."""

    folios: Folios
    seed: int
    scatter: bool


@dataclass
class Life:
    """One generation. found, after and left: what is held when it has attached, when it has
    taken out what it takes, and when it leaves."""

    number: int
    place: Place
    abi: str
    client: Client
    found: Held = field(default_factory=Held)
    after: Held = field(default_factory=Held)
    left: Held = field(default_factory=Held)
    restored: list[tuple[Folios, int]] = field(default_factory=list)
    released: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    preserved: list[Preserve] = field(default_factory=list)
    unpreserved: list[Folios] = field(default_factory=list)
    put: list[Blob] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    kept: list[Item] = field(default_factory=list)
    forget: bool = False
    compact: bool = False
    reload: bool = False

    @property
    def found_pages(self) -> int:
        """What kho_bridge finds; a client of the kernel's has taken its own over by then."""
        return self.found.pages + \
            (self.found.client_data() if self.client is not Client.KERNEL else 0)

    @property
    def found_table(self) -> bool:
        """Whether the client's table is among the blobs then."""
        return self.found.saved and (self.found.copied or not (
            self.found.others or self.client is Client.KERNEL))

    @property
    def came_pages(self) -> int:
        """What the client restores once kho_bridge has attached."""
        if self.client is not Client.BRIDGE or not self.found.saved:
            return 0
        return self.found.client_pages() + TABLE_PAGES

    @property
    def restored_pages(self) -> int:
        """Test pages that it takes out."""
        return sum(folios.count << folios.order for folios, _ in self.restored)

    @property
    def carried_pages(self) -> int:
        """What kho_bridge still holds of the kernel before when it leaves."""
        return self.after.pages + \
            (self.after.client_data() if self.client is Client.ABSENT else 0)

    @property
    def added_pages(self) -> int:
        """What is handed over through kho_bridge besides."""
        own = self.client is Client.BRIDGE
        return sum(p.folios.count << p.folios.order for p in self.preserved) \
            - sum(f.count << f.order for f in self.unpreserved) \
            + (self.left.client_pages() + TABLE_PAGES if own else 0)


def _choose_client(rng: random.Random, found: Held, place: Place) -> Client:
    """What is left to the kernel's own KHO can only be had through that."""
    if found.others:
        return Client.KERNEL
    if rng.random() < 0.2 and found.saved:
        return Client.ABSENT
    return rng.choice((Client.KERNEL, Client.BRIDGE)) if place.native else Client.BRIDGE


def _take(rng: random.Random, life: Life) -> None:
    """Chooses what is taken out, more of it the more there is."""
    held = life.after
    # While the client's pages are in the list it is not known which lines are whose.
    if life.client is not Client.ABSENT or not held.client_data():
        full = held.pages > PAGES_MOST * 2 // 3
        for order in sorted(o for o, n in held.folios.items() if n):
            if rng.random() < (0.9 if full else 0.5):
                there = held.folios[order]
                count = rng.randint(1, there)
                life.restored.append((Folios(order, count), rng.randint(0, there - count)))
                held.add(order, -count)
    full = len(held.blobs) > BLOBS_MOST * 2 // 3
    for name in sorted(held.blobs):
        if rng.random() < (0.5 if full else 0.2):
            life.released.append(name)
            del held.blobs[name]
    if life.client is Client.ABSENT:
        return
    full = len(held.items) > ITEMS_MOST * 2 // 3
    for name in sorted(held.items):
        if rng.random() < (0.5 if full else 0.2):
            life.dropped.append(name)
            del held.items[name]


def _add_pages(rng: random.Random, life: Life) -> None:
    fresh: dict[int, int] = {}
    for _ in range(rng.randint(1, 3)):
        order = rng.choice(_ORDERS)
        count = rng.randint(1, max(1, min(200, 768 >> order)))
        if life.left.pages + (count << order) > PAGES_MOST:
            continue
        life.preserved.append(Preserve(Folios(order, count), rng.getrandbits(32),
                                       rng.random() < 0.5))
        life.left.add(order, count)
        fresh[order] = fresh.get(order, 0) + count
    for order, count in fresh.items():
        if rng.random() < 0.3:
            gone = rng.randint(1, count)
            life.unpreserved.append(Folios(order, gone))
            life.left.add(order, -gone)


def _add_blobs(rng: random.Random, life: Life) -> None:
    for _ in range(rng.randint(0, 2)):
        free = [n for n in (f"blob{i}" for i in range(_NAMES)) if n not in life.left.blobs]
        if len(life.left.blobs) >= BLOBS_MOST:
            break
        size = rng.choice((rng.randint(1, 5000), 4096, rng.randint(1, BLOB_MOST)))
        blob = Blob(rng.choice(free), size, 10_000_000 + rng.randrange(500) * _SEQ_STEP,
                    life.number)
        life.put.append(blob)
        life.left.blobs[blob.name] = blob
    if life.put and rng.random() < 0.2:
        life.removed.append(life.put[-1].name)
        del life.left.blobs[life.put[-1].name]


def _add_items(rng: random.Random, life: Life) -> None:
    if life.client is Client.ABSENT:
        return
    for index in range(rng.randint(0, 2)):
        if len(life.left.items) >= ITEMS_MOST:
            break
        kind = rng.choice(("folio", "pages", "vmalloc"))
        pages = 1 << rng.randint(0, 6) if kind == "folio" else \
            rng.randint(1, 60 if kind == "pages" else 600)
        item = Item(f"item-{life.number}-{index}", kind, pages, rng.getrandbits(31))
        life.kept.append(item)
        life.left.items[item.name] = item
    life.forget = rng.random() < 0.2


def _leave(life: Life, after: Place, abi: str) -> Held:
    """What arrives of what is held here when it goes to `after` in this version."""
    held = life.left.copy()
    if life.client is not Client.ABSENT:
        held.saved, held.foreign = True, life.client is Client.KERNEL
        held.copied = abi == "kho-v2"
    elif held.saved and abi == "kho-v2":
        held.copied = True
    held.others = held.foreign and after.native
    return held


def _abi(rng: random.Random, before: Place, place: Place) -> str:
    """The version that a handover has. From a kernel whose own KHO is on it is not chosen."""
    chosen = rng.choice(place.abis)
    return place.abis[-1] if before.native else chosen


def lives(places: Sequence[Place], kexecs: int, seed: int) -> list[Life]:
    """kexecs + 1 generations through these kernels, in random order; the last one takes
    everything out."""
    found: list[Life] = []
    for number in range(1, kexecs + 2):
        rng = random.Random(f"{seed}-{number}")
        before = found[-1] if found else None
        place = rng.choice(places)
        abi = _abi(rng, before.place, place) if before else ""
        held = _leave(before, place, abi) if before else Held()
        life = Life(number, place, abi, _choose_client(rng, held, place), held, held.copy())
        last = number == kexecs + 1
        if last:
            # All that is held has to be had.
            if life.client is Client.ABSENT:
                life.client = Client.BRIDGE
        else:
            _take(rng, life)
            life.left = life.after.copy()
            _add_pages(rng, life)
            _add_blobs(rng, life)
            _add_items(rng, life)
            life.compact = rng.random() < 0.15 and not place.native
            life.reload = rng.random() < 0.1
        found.append(life)
    return found
