// SPDX-License-Identifier: GPL-2.0-only
// The load transaction.
#include "load/load.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/files.hpp"
#include "base/interrupt.hpp"
#include "image/bzimage.hpp"
#include "keep/list.hpp"
#include "khob/luo.hpp"
#include "load/inputs.hpp"
#include "load/luo.hpp"
#include "load/preserved.hpp"
#include "load/take.hpp"
#include "machine/free_memory.hpp"
#include "plan/boot_params.hpp"
#include "plan/load_memory.hpp"
#include "plan/scratch_size.hpp"
#include "session/late_room.hpp"

namespace khob {

namespace {

/// What the checks have read; nothing has been changed yet but by a compaction.
struct Prepared : LoadInputs {
    std::uint64_t keys = 0;
    MemoryMap map;
    ByteVector boot_params;
    PhysAddr rsdp;
    std::optional<CompactReport> compacted;
    EfiState efi;
    CarvePlan carves;

    const Efi* efi_or_null() const { return efi.efi ? &*efi.efi : nullptr; }
};

/// What follows from the frozen state.
struct Frozen {
    std::vector<Range> scratch;
    Covering covering;
    MemoryBudget memory;
    std::vector<Carve> carves;  ///< the fresh ones
    MemoryMap map;              ///< the incoming kernel's
    PhysAddr fdt_addr;
    std::uint64_t fdt_size = 0;
};

/// Forgets a kernel that was loaded in vain.
class Forget {
  public:
    explicit Forget(System& sys) : sys_(&sys) {}
    Forget(const Forget&) = delete;
    Forget& operator=(const Forget&) = delete;
    Forget(Forget&&) = delete;
    Forget& operator=(Forget&&) = delete;
    ~Forget() {
        // The failure that led here is what gets reported; this does what can be done.
        if (loaded_) {
            (void)sys_->kexec_unload();
        }
    }
    void loaded() { loaded_ = true; }
    void keep() { loaded_ = false; }

  private:
    System* sys_;
    bool loaded_ = false;
};

/// As far as it goes: whether that is far enough is for the checks that follow.
Result<CompactReport> compact_first(const Module& module, const Prepared& in,
                                    std::size_t max_intervals, Progress& progress) {
    auto report = compact(module, in.map, max_intervals, progress);
    if (report && report->error && report->error->code == ExitCode::interrupted) {
        return tl::unexpected(*report->error);
    }
    return report;
}

/// What the incoming kernel is told of carves is as long from here on as it will be.
Result<void> plan_carving(const System& sys, const LoadOptions& options, Prepared& out) {
    auto plan = plan_carves(options.carve, options.uncarve,
                            read_text(sys.path("/proc/cmdline")).value_or(""), out.map);
    if (!plan) {
        return tl::unexpected(plan.error());
    }
    if (out.choice.method == Method::file && plan->more_entries() != 0) {
        return fail(ExitCode::refused,
                    "this kernel loads the next one itself, with the memory map that it has: "
                    "nothing can be carved out of it or given back to it",
                    "say `--method indirect`");
    }
    out.carves = std::move(*plan);
    out.choice.cmdline = with_carves(out.choice.cmdline, out.carves, {});
    return {};
}

/// Whether anything may be changed at all.
Result<void> require_unfrozen(const Module& module) {
    const auto status = module.status();
    if (!status) {
        return tl::unexpected(status.error());
    }
    if (status->frozen()) {
        return fail(ExitCode::refused, "a kernel is loaded already: what is preserved is frozen",
                    "`khoctl unload` first");
    }
    if (status->refused()) {
        return fail(
            ExitCode::refused,
            fmt::format("what the previous kernel left was refused: {}", status->text("in.reason")),
            "`khoctl release all` first: it would not go on to the next kernel");
    }
    return {};
}

Result<Prepared> prepare(const System& sys, const Module& module, const LoadOptions& options,
                         Progress& progress) {
    const auto status = module.status();
    if (!status) {
        return tl::unexpected(status.error());
    }
    if (auto ok = require_kexec(sys); !ok) {
        return tl::unexpected(ok.error());
    }
    auto inputs = read_inputs(options, *status, progress);
    if (!inputs) {
        return tl::unexpected(inputs.error());
    }
    Prepared out;
    static_cast<LoadInputs&>(out) = std::move(*inputs);
    if (auto ok = require_setup_indirect(out.kernel);
        !ok && out.choice.method == Method::indirect) {
        return tl::unexpected(ok.error());
    }
    if (auto ok = require_luo(module, out.choice); !ok) {
        return tl::unexpected(ok.error());
    }
    auto map = MemoryMap::read(sys.path("/sys/firmware/memmap"));
    if (!map) {
        return tl::unexpected(map.error());
    }
    out.map = std::move(*map);
    if (auto ok = plan_carving(sys, options, out); !ok) {
        return tl::unexpected(ok.error());
    }
    if (auto ok = check_cmdline(out.kernel, out.choice.cmdline); !ok) {
        return tl::unexpected(ok.error());
    }
    // Both may be missing on odd machines; the zero page does without.
    out.boot_params = read_bytes(sys.path("/sys/kernel/boot_params/data")).value_or(ByteVector{});
    out.rsdp =
        find_rsdp(out.boot_params, read_text(sys.path("/sys/firmware/efi/systab")).value_or(""));
    out.efi = read_efi(sys, out.boot_params);
    // First of all: what lies together leaves more to spare.
    if (options.compact) {
        auto report = compact_first(module, out, options.max_intervals, progress);
        if (!report) {
            return tl::unexpected(report.error());
        }
        out.compacted = std::move(*report);
    }
    return out;
}

/// Bytes that the incoming kernel can do without.
Result<std::uint64_t> spare(const Module& module, const Prepared& in, std::size_t max_intervals) {
    const auto budget =
        budget_now(module, in.map, in.kernel, in.initrd.size(), in.choice, max_intervals);
    if (!budget) {
        return tl::unexpected(budget.error());
    }
    return budget->left_bytes - budget->safe_bytes;
}

/// As far as the incoming kernel has room for them.
Result<keep::Keeping> keep_files(const System& sys, const Module& module,
                                 const LoadOptions& options, const Prepared& in,
                                 Progress& progress) {
    const auto wanted = keep::read_wanted(sys);
    if (!wanted) {
        return tl::unexpected(wanted.error());
    }
    if (wanted->empty()) {
        return keep::Keeping();
    }
    // Of a load that did not come to its end.
    if (auto ok = keep::Keeping::drop(sys, module); !ok) {
        return tl::unexpected(ok.error());
    }
    const auto bytes = spare(module, in, options.max_intervals);
    if (!bytes) {
        return tl::unexpected(bytes.error());
    }
    return keep::Keeping::make(sys, module, *wanted, *bytes, progress);
}

/// Of all that is preserved in the end: how much it is, and whether it is in few enough pieces.
Result<void> look_at_preserved(const Module& module, std::size_t max_intervals, Prepared& out) {
    const auto status = module.status();
    if (!status) {
        return tl::unexpected(status.error());
    }
    out.keys = status->number_or("out.keys", 0) + status->number_or("in.keys", 0);
    // Once more when it is frozen; asked now, a refusal costs nothing.
    const auto left = spare(module, out, max_intervals);
    return left ? Result<void>{} : tl::unexpected(left.error());
}

/// Outside of what is handed over, and of what the kernel begins in.
Result<void> carve(const Prepared& in, Frozen& out) {
    std::vector<Range> taken = out.covering.occupied;
    taken.insert(taken.end(), out.scratch.begin(), out.scratch.end());
    auto placed = place_carves(in.carves, in.map, taken);
    if (!placed) {
        return tl::unexpected(placed.error());
    }
    out.carves = std::move(*placed);
    auto map = carved_map(in.map, in.carves, out.carves);
    if (!map) {
        return tl::unexpected(map.error());
    }
    out.map = std::move(*map);
    return {};
}

Result<Frozen> look_at_frozen(const Module& module, const Prepared& in, std::vector<Range> scratch,
                              std::size_t max) {
    Frozen out;
    out.scratch = std::move(scratch);
    for (const Range& area : out.scratch) {
        const bool in_ram = std::any_of(in.map.ram().begin(), in.map.ram().end(),
                                        [&area](const Range& r) { return r.contains(area); });
        if (!in_ram && !area.empty()) {
            return fail(ExitCode::failure,
                        fmt::format("the scratch area {} is no RAM", to_string(area)));
        }
    }
    const auto status = module.status();
    if (!status) {
        return tl::unexpected(status.error());
    }
    out.fdt_addr = PhysAddr(status->number_or("out.fdt_phys", 0));
    out.fdt_size = status->number_or("out.fdt_len", 0);
    if (out.fdt_addr == PhysAddr(0) || out.fdt_size == 0) {
        return fail(ExitCode::failure, "the module has made no root FDT");
    }
    auto covering = cover_preserved(module, in.map,
                                    {.method = in.choice.method,
                                     .scratch = out.scratch,
                                     .max_intervals = max,
                                     .fdt = {out.fdt_addr, out.fdt_addr + out.fdt_size}});
    if (!covering) {
        return tl::unexpected(covering.error());
    }
    if (in.choice.method != Method::indirect && out.fdt_size > max_early_map - page_size) {
        return fail(ExitCode::refused,
                    fmt::format("the root FDT has {} bytes, and a kernel's KHO reads at most {}",
                                out.fdt_size, max_early_map - page_size),
                    "hand fewer subtrees over, or say `--method indirect`");
    }
    out.covering = std::move(*covering);
    // Once more: a session may have been made meanwhile.
    if (auto ok = require_luo(module, in.choice); !ok) {
        return tl::unexpected(ok.error());
    }
    if (auto ok = carve(in, out); !ok) {
        return tl::unexpected(ok.error());
    }
    const auto memory =
        check_memory(out.map, out.covering, in.kernel, in.initrd.size(), in.choice.kasan);
    if (!memory) {
        return tl::unexpected(memory.error());
    }
    out.memory = *memory;
    return out;
}

/// Where the image may go, the low area last: what must lie there has no other place.
std::vector<Range> places_in(const Prepared& in, std::span<const Range> scratch) {
    std::vector<Range> out(scratch.begin(), scratch.end());
    if (in.choice.method == Method::kho && !out.empty()) {
        std::rotate(out.begin(), out.begin() + 1, out.end());
    }
    return out;
}

/// Freezes, and finds the memory that the next kernel may use until it knows what is preserved.
Result<std::vector<Range>> get_scratch(const System& sys, const Module& module, const Prepared& in,
                                       const ScratchPlan& wanted, ScratchTaker& taker,
                                       LoadReport& report, Progress& progress) {
    if (!wanted.kho) {
        progress.step(fmt::format("taking {} of scratch", human_bytes(wanted.total_bytes())));
        auto ok = take_for_indirect(taker, wanted.needs);
        return ok.and_then([&module] { return module.scratch(); });
    }
    if (in.choice.by_kernel) {
        progress.step("freezing for this kernel's own KHO");
        if (auto ok = taker.leave_to_kernel(); !ok) {
            return tl::unexpected(ok.error());
        }
        // kexec_file_load() finds its place itself.
        auto kernels = kernel_scratch(sys);
        const auto room =
            kernels ? require_shadow_room(*kernels, wanted.kho->early) : Result<void>{};
        const bool file = in.choice.method == Method::file;
        if (file && !room) {
            return tl::unexpected(room.error());
        }
        if (file || (kernels && room && place(wanted.needs, places_in(in, *kernels)))) {
            return kernels ? std::move(*kernels) : std::vector<Range>{};
        }
    }
    report.early = wanted.kho->early;
    progress.step("taking scratch for a kernel with KHO");
    auto ok = take_for_kho(taker, *wanted.kho);
    return ok.and_then([&module] { return module.scratch(); });
}

Result<BootImage> build(const Prepared& in, const Frozen& frozen, const ScratchNeeds& needs) {
    const auto where = place(needs, places_in(in, frozen.scratch));
    if (!where) {
        return tl::unexpected(where.error());
    }
    const std::string cmdline = with_carves(in.choice.cmdline, in.carves, frozen.carves);
    return build_boot_image({.kernel = &in.kernel,
                             .image = in.image.bytes(),
                             .initrd = in.initrd.bytes(),
                             .cmdline = cmdline,
                             .map = &frozen.map,
                             .running_boot_params = in.boot_params,
                             .acpi_rsdp = in.rsdp,
                             .intervals = frozen.covering.intervals,
                             .scratch = frozen.scratch,
                             .fdt_addr = frozen.fdt_addr,
                             .fdt_size = frozen.fdt_size,
                             .efi = in.efi_or_null()},
                            *where);
}

/// Not unasked for a kernel that would not boot with sessions, if there were some.
Result<LateRoom> make_late_room(const System& sys, const Prepared& in,
                                std::optional<std::uint64_t> bytes) {
    const bool fits = in.choice.method == Method::indirect || in.choice.kernel_luo == "" ||
                      in.choice.kernel_luo == luo::compatible(luo::default_version);
    if (!bytes && !fits) {
        return LateRoom{};
    }
    return LateRoom::make(sys, bytes, total_bytes(in.map.ram()));
}

/// What is to boot, into the kernel's hands.
Result<void> give_to_kernel(System& sys, const LoadOptions& options, const Prepared& in,
                            const BootImage& image, Forget& forget) {
    if (auto ok = InterruptGuard::check(); !ok) {
        return ok;
    }
    const bool file = in.choice.method == Method::file;
    auto ok = file ? sys.kexec_file_load(options.kernel, options.initrd, in.choice.cmdline)
                   : sys.kexec_load(image.entry, image.segments);
    if (ok) {
        forget.loaded();
    }
    // If it failed, this may be why.
    if (auto same = in.check(); !same) {
        return same;
    }
    return ok ? InterruptGuard::check() : ok;
}

}  // namespace

Result<LoadReport> load(System& sys, const LoadOptions& options, Progress& progress) {
    const Stopwatch total;
    LoadReport report;
    const auto module = Module::open(sys);
    if (!module) {
        return tl::unexpected(module.error());
    }
    const InterruptGuard interrupts;
    if (auto ok = require_unfrozen(*module); !ok) {
        return tl::unexpected(ok.error());
    }
    progress.step("checking the kernel and this machine");
    auto prepared = prepare(sys, *module, options, progress);
    if (!prepared) {
        return tl::unexpected(prepared.error());
    }
    auto keeping = keep_files(sys, *module, options, *prepared, progress);
    if (!keeping) {
        return tl::unexpected(keeping.error());
    }
    report.kept = keeping->report();
    if (auto ok = look_at_preserved(*module, options.max_intervals, *prepared); !ok) {
        return tl::unexpected(ok.error());
    }
    report.kernel_version = prepared->kernel.version;
    report.compacted = std::move(prepared->compacted);
    report.check_ms = total.millis();

    const Stopwatch scratch_time;
    const bool file = prepared->choice.method == Method::file;
    const ScratchPlan wanted =
        plan_scratch(sys, {.kernel = &prepared->kernel,
                           .initrd_bytes = prepared->initrd.size(),
                           .cmdline = prepared->choice.cmdline,
                           .map = &prepared->map,
                           .more_entries = prepared->carves.more_entries(),
                           .max_intervals = options.max_intervals,
                           .keys = prepared->keys,
                           .kho = prepared->choice.method != Method::indirect,
                           .kasan = prepared->choice.kasan,
                           .efi = prepared->efi_or_null()});
    // Beforehand: who runs out of memory halfway is killed, and somebody else perhaps as well.
    const LoadMemory memory = load_memory(wanted, prepared->kernel, prepared->initrd.size(),
                                          prepared->choice.method, prepared->choice.by_kernel);
    if (auto ok = require_memory(memory, free_memory(sys)); !ok) {
        return tl::unexpected(ok.error());
    }
    auto room = make_late_room(sys, *prepared, options.late_room);
    if (!room) {
        return tl::unexpected(room.error());
    }
    report.late_room = room->bytes();
    ScratchTaker taker(*module, prepared->choice.abi);
    Forget forget(sys);
    auto scratch = get_scratch(sys, *module, *prepared, wanted, taker, report, progress);
    if (auto ok = InterruptGuard::check(); scratch && !ok) {
        return tl::unexpected(ok.error());
    }
    if (!scratch) {
        return tl::unexpected(scratch.error());
    }
    report.scratch_ms = scratch_time.millis();

    const Stopwatch cover_time;
    progress.step("covering what is preserved");
    auto frozen = look_at_frozen(*module, *prepared, std::move(*scratch), options.max_intervals);
    if (!frozen) {
        return tl::unexpected(frozen.error());
    }
    BootImage image;
    if (!file) {
        auto built = build(*prepared, *frozen, wanted.needs);
        if (!built) {
            return tl::unexpected(built.error());
        }
        image = std::move(*built);
    }
    report.cover_ms = cover_time.millis();

    const Stopwatch kexec_time;
    progress.step(
        fmt::format("loading the kernel: {} are copied",
                    human_bytes(prepared->kernel.payload_bytes + prepared->initrd.size())));
    auto ok = give_to_kernel(sys, options, *prepared, image, forget);
    if (ok = ok.and_then([&taker] { return taker.loaded(); }); !ok) {
        return tl::unexpected(ok.error());
    }
    forget.keep();
    room->keep();
    keeping->stay();
    report.kexec_ms = kexec_time.millis();
    report.choice = std::move(prepared->choice);
    report.choice.cmdline = with_carves(report.choice.cmdline, prepared->carves, frozen->carves);
    report.carves = std::move(prepared->carves.kept);
    report.carves.insert(report.carves.end(), frozen->carves.begin(), frozen->carves.end());
    report.abi = prepared->abi;
    report.covering = std::move(frozen->covering);
    report.efi_left_out = std::move(prepared->efi.why);
    report.memory = frozen->memory;
    report.scratch = std::move(frozen->scratch);
    report.segments = image.segments;
    report.entry = image.entry;
    report.setup_data = image.setup_data;
    report.total_ms = total.millis();
    progress.end();
    return report;
}

}  // namespace khob
