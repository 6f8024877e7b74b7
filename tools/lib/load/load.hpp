// SPDX-License-Identifier: GPL-2.0-only
// Loading the incoming kernel, forgetting it, and jumping into it.
#ifndef KHOB_LOAD_HPP
#define KHOB_LOAD_HPP

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/progress.hpp"
#include "base/system.hpp"
#include "base/value.hpp"
#include "keep/keeping.hpp"
#include "load/compact.hpp"
#include "module/module.hpp"
#include "plan/boot_image.hpp"
#include "plan/carve.hpp"
#include "plan/covering.hpp"
#include "plan/kho_scratch.hpp"
#include "plan/method.hpp"

namespace khob {

struct LoadOptions {
    std::filesystem::path kernel;
    std::filesystem::path initrd;  ///< empty: none
    std::string cmdline;
    std::size_t max_intervals = default_max_intervals;
    MethodWishes wishes{};
    bool compact = false;  ///< first of all what the module owns
    /// Bytes for what programs preserve later; nothing: what is usual.
    std::optional<std::uint64_t> late_room{};
    std::vector<CarveWish> carve{};
    std::vector<std::string> uncarve{};  ///< names of carves that are RAM again
};

/// What was loaded, and what it took.
struct LoadReport {
    std::string kernel_version;
    MethodChoice choice;
    abi::Version abi = abi::default_version;  ///< of the root FDT
    Covering covering;                        ///< method kho: without intervals
    std::optional<CompactReport> compacted;
    std::optional<EarlyNeeds> early;  ///< method kho: what scratch was sized by
    std::string efi_left_out;         ///< why EFI's runtime services end here; empty: they go on
    std::uint64_t late_room = 0;      ///< bytes
    keep::KeepReport kept;            ///< files on tmpfs
    MemoryBudget memory;
    std::vector<Carve> carves;  ///< all that the incoming kernel has
    std::vector<Range> scratch;
    std::vector<Segment> segments;  ///< names, addresses, sizes; `data` is not to be used
    PhysAddr entry;
    PhysAddr setup_data;
    double check_ms = 0;
    double scratch_ms = 0;
    double cover_ms = 0;
    double kexec_ms = 0;
    double total_ms = 0;

    Value to_value() const;
};

/**
 * Loads a kernel, by the handover method that suits it unless one is asked for.
 *
 * First comes everything that can be checked, then the files that are to be kept are, as far as
 * there is room for them, then scratch is taken (which freezes what is preserved), then
 * kexec_load(2). Whatever fails, and on Ctrl-C,
 * all of it is given back; only what was compacted stays together. Errors: every refusal has its
 * own text.
 */
Result<LoadReport> load(System& sys, const LoadOptions& options, Progress& progress);

/// What `unload` found to undo.
struct UnloadReport {
    bool was_loaded = false;
    bool was_frozen = false;
    Value to_value() const;
};

/// Forgets the loaded kernel and gives scratch back. Nothing to undo is no error.
Result<UnloadReport> unload(System& sys);

/// none, loading, loaded, replaced, unloaded.
std::string_view to_string(device::ImageState state);

/// Why that image is not one to jump into, and what to do; of any that is not loaded.
Error image_error(const LoadedImage& image);

/// Jumps into the loaded kernel. Returns only on failure.
Error exec(System& sys);

/// The running kernel's command line without what its boot loader added (BOOT_IMAGE=, initrd=).
std::string reusable_cmdline(std::string_view proc_cmdline);

}  // namespace khob

#endif  // KHOB_LOAD_HPP
