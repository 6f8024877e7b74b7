// SPDX-License-Identifier: GPL-2.0-only
// The load transaction.
#include "khob/load.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "khob/boot_params.hpp"
#include "khob/bzimage.hpp"
#include "khob/files.hpp"
#include "khob/interrupt.hpp"

namespace khob {

namespace {

constexpr std::size_t max_areas = 2;

/// What the checks have read; nothing has been changed yet.
struct Prepared {
    ByteVector image;
    BzImage kernel;
    ByteVector initrd;
    MemoryMap map;
    ByteVector boot_params;
    PhysAddr rsdp;
};

/// What follows from the frozen state.
struct Frozen {
    std::vector<Range> scratch;
    Covering covering;
    MemoryBudget memory;
    PhysAddr fdt_addr;
    std::uint64_t fdt_size = 0;
};

/// Undoes a load that did not come to its end.
class Undo {
  public:
    Undo(System& sys, const Module& module) : sys_(&sys), module_(&module) {}
    Undo(const Undo&) = delete;
    Undo& operator=(const Undo&) = delete;
    Undo(Undo&&) = delete;
    Undo& operator=(Undo&&) = delete;
    ~Undo() {
        // The failure that led here is what gets reported; this does what can be done.
        if (loaded_) {
            (void)sys_->kexec_unload();
        }
        if (taken_) {
            (void)module_->control("out/scratch", "give");
        }
    }
    void taken() { taken_ = true; }
    void loaded() { loaded_ = true; }
    void keep() { taken_ = loaded_ = false; }

  private:
    System* sys_;
    const Module* module_;
    bool taken_ = false;
    bool loaded_ = false;
};

Result<ByteVector> read_input(const std::filesystem::path& path, std::string_view what) {
    auto bytes = read_bytes(path);
    if (!bytes) {
        return fail(ExitCode::refused,
                    fmt::format("cannot read the {}: {}", what, bytes.error().what),
                    "check the path");
    }
    if (bytes->empty()) {
        return fail(ExitCode::refused, fmt::format("the {} {} is empty", what, path.string()));
    }
    return bytes;
}

Result<Covering> plan(const Module& module, const MemoryMap& map, std::span<const Range> scratch,
                      std::size_t max) {
    const auto preserved = module.ranges(Side::out);
    if (!preserved) {
        return tl::unexpected(preserved.error());
    }
    return cover(*preserved, map.barriers(scratch), max);
}

Result<Prepared> prepare(const System& sys, const Module& module, const LoadOptions& options) {
    const auto status = module.status();
    if (!status) {
        return tl::unexpected(status.error());
    }
    if (status->frozen()) {
        return fail(ExitCode::refused, "a kernel is loaded already: what is preserved is frozen",
                    "`khoctl unload` first");
    }
    if (auto ok = require_kexec(sys); !ok) {
        return tl::unexpected(ok.error());
    }
    Prepared out;
    auto image = read_input(options.kernel, "kernel");
    if (!image) {
        return tl::unexpected(image.error());
    }
    out.image = std::move(*image);
    auto kernel = parse_bzimage(out.image);
    if (!kernel) {
        return tl::unexpected(kernel.error());
    }
    out.kernel = std::move(*kernel);
    if (!out.kernel.knows_setup_indirect()) {
        return fail(ExitCode::refused,
                    fmt::format("the kernel is too old to be told of preserved memory (boot "
                                "protocol {}.{:02})",
                                out.kernel.protocol >> 8, out.kernel.protocol & 0xff),
                    "use Linux 5.5 or later");
    }
    if (auto ok = check_cmdline(out.kernel, options.cmdline); !ok) {
        return tl::unexpected(ok.error());
    }
    if (!options.initrd.empty()) {
        auto initrd = read_input(options.initrd, "initrd");
        if (!initrd) {
            return tl::unexpected(initrd.error());
        }
        out.initrd = std::move(*initrd);
    }
    auto map = MemoryMap::read(sys.path("/sys/firmware/memmap"));
    if (!map) {
        return tl::unexpected(map.error());
    }
    out.map = std::move(*map);
    // Both may be missing on odd machines; the zero page does without.
    out.boot_params = read_bytes(sys.path("/sys/kernel/boot_params/data")).value_or(ByteVector{});
    out.rsdp =
        find_rsdp(out.boot_params, read_text(sys.path("/sys/firmware/efi/systab")).value_or(""));
    // Once more when it is frozen; asked now, a refusal costs nothing.
    const auto covering = plan(module, out.map, {}, options.max_intervals);
    if (!covering) {
        return tl::unexpected(covering.error());
    }
    if (auto ok = check_memory(out.map, *covering, out.kernel, out.initrd.size()); !ok) {
        return tl::unexpected(ok.error());
    }
    return out;
}

Result<void> take(const Module& module, const AreaRequest& request) {
    return module.control("out/scratch", fmt::format("take {} {}", request.size, request.align));
}

/// One area if there is one, else two.
Result<void> take_scratch(const Module& module, const ScratchNeeds& needs, Undo& undo) {
    const AreaRequest whole = one_area(needs);
    auto got = take(module, whole);
    if (got) {
        undo.taken();
        return got;
    }
    if (got.error().code == ExitCode::interrupted) {
        return got;
    }
    for (const AreaRequest& part : two_areas(needs)) {
        got = take(module, part);
        if (!got) {
            break;
        }
        undo.taken();
    }
    if (got || got.error().code == ExitCode::interrupted) {
        return got;
    }
    const auto status = module.status();
    const std::uint64_t largest = status ? status->number_or("scratch.largest", 0) : 0;
    return fail(ExitCode::refused,
                fmt::format("the kernel and its initrd do not fit scratch: they need {} bytes "
                            "({}) of contiguous memory, the largest piece found has {} ({}); the "
                            "module says: {}",
                            whole.size, human_bytes(whole.size), largest, human_bytes(largest),
                            got.error().what),
                "free memory, or use a smaller kernel or initrd");
}

Result<Frozen> look_at_frozen(const Module& module, const Prepared& in, std::size_t max) {
    Frozen out;
    auto scratch = module.scratch();
    if (!scratch) {
        return tl::unexpected(scratch.error());
    }
    out.scratch = std::move(*scratch);
    for (const Range& area : out.scratch) {
        const bool in_ram = std::any_of(in.map.ram().begin(), in.map.ram().end(),
                                        [&area](const Range& r) { return r.contains(area); });
        if (!in_ram) {
            return fail(ExitCode::failure,
                        fmt::format("the module's scratch area {} is no RAM", to_string(area)));
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
    auto covering = plan(module, in.map, out.scratch, max);
    if (!covering) {
        return tl::unexpected(covering.error());
    }
    const Range fdt{out.fdt_addr, out.fdt_addr + out.fdt_size};
    if (std::none_of(covering->intervals.begin(), covering->intervals.end(),
                     [&fdt](const Range& r) { return r.contains(fdt); })) {
        return fail(ExitCode::failure, "the module has not preserved its root FDT");
    }
    out.covering = std::move(*covering);
    const auto memory = check_memory(in.map, out.covering, in.kernel, in.initrd.size());
    if (!memory) {
        return tl::unexpected(memory.error());
    }
    out.memory = *memory;
    return out;
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
    progress.step("checking the kernel and this machine");
    auto prepared = prepare(sys, *module, options);
    if (!prepared) {
        return tl::unexpected(prepared.error());
    }
    report.kernel_version = prepared->kernel.version;
    report.check_ms = total.millis();

    const Stopwatch scratch_time;
    const ScratchNeeds needs = scratch_needs(
        prepared->kernel, prepared->initrd.size(),
        small_bytes(prepared->map, options.cmdline, options.max_intervals, max_areas));
    progress.step(fmt::format("taking {} of scratch", human_bytes(one_area(needs).size)));
    Undo undo(sys, *module);
    auto ok = take_scratch(*module, needs, undo).and_then(InterruptGuard::check);
    if (!ok) {
        return tl::unexpected(ok.error());
    }
    report.scratch_ms = scratch_time.millis();

    const Stopwatch cover_time;
    progress.step("covering what is preserved");
    auto frozen = look_at_frozen(*module, *prepared, options.max_intervals);
    if (!frozen) {
        return tl::unexpected(frozen.error());
    }
    const auto where = place(needs, frozen->scratch);
    if (!where) {
        return tl::unexpected(where.error());
    }
    const auto image = build_boot_image({.kernel = &prepared->kernel,
                                         .image = prepared->image,
                                         .initrd = prepared->initrd,
                                         .cmdline = options.cmdline,
                                         .map = &prepared->map,
                                         .running_boot_params = prepared->boot_params,
                                         .acpi_rsdp = prepared->rsdp,
                                         .intervals = frozen->covering.intervals,
                                         .scratch = frozen->scratch,
                                         .fdt_addr = frozen->fdt_addr,
                                         .fdt_size = frozen->fdt_size},
                                        *where);
    if (!image) {
        return tl::unexpected(image.error());
    }
    report.cover_ms = cover_time.millis();

    const Stopwatch kexec_time;
    progress.step("loading the kernel");
    ok = InterruptGuard::check();
    if (ok) {
        ok = sys.kexec_load(image->entry, image->segments);
        if (ok) {
            undo.loaded();
            ok = InterruptGuard::check();
        }
    }
    if (!ok) {
        return tl::unexpected(ok.error());
    }
    undo.keep();
    report.kexec_ms = kexec_time.millis();
    report.covering = std::move(frozen->covering);
    report.memory = frozen->memory;
    report.scratch = std::move(frozen->scratch);
    report.segments = image->segments;
    report.entry = image->entry;
    report.setup_data = image->setup_data;
    report.total_ms = total.millis();
    progress.end();
    return report;
}

Result<UnloadReport> unload(System& sys) {
    const auto module = Module::open(sys);
    if (!module) {
        return tl::unexpected(module.error());
    }
    const auto status = module->status();
    if (!status) {
        return tl::unexpected(status.error());
    }
    UnloadReport report;
    report.was_loaded = kexec_loaded(sys);
    report.was_frozen = status->frozen();
    if (report.was_loaded) {
        if (auto ok = sys.kexec_unload(); !ok) {
            return tl::unexpected(ok.error());
        }
    }
    if (report.was_frozen) {
        if (auto ok = module->control("out/scratch", "give"); !ok) {
            return tl::unexpected(ok.error());
        }
    }
    return report;
}

Error exec(System& sys) {
    const auto module = Module::open(sys);
    if (!module) {
        return module.error();
    }
    if (!kexec_loaded(sys)) {
        return Error{ExitCode::refused, "no kernel is loaded", "`khoctl load` first"};
    }
    const auto status = module->status();
    if (!status) {
        return status.error();
    }
    if (!status->frozen()) {
        return Error{ExitCode::refused,
                     "the loaded kernel was not loaded by khoctl: what is preserved would be lost",
                     "`khoctl load` first, or `kexec -e` if that is what you want"};
    }
    return sys.kexec_exec();
}

}  // namespace khob
