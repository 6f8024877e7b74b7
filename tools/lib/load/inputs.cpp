// SPDX-License-Identifier: GPL-2.0-only
// Opens kernel and initrd, and chooses how to hand over to that kernel.
#include "load/inputs.hpp"

#include <fmt/format.h>

#include "base/interrupt.hpp"
#include "image/probe.hpp"

namespace khob {

namespace {

Result<MappedFile> map_input(const std::filesystem::path& path, std::string_view what) {
    auto file = MappedFile::open(path);
    if (!file) {
        return fail(ExitCode::refused,
                    fmt::format("cannot read the {}: {}", what, file.error().what),
                    file.error().hint.empty() ? "check the path" : file.error().hint);
    }
    if (file->size() == 0) {
        return fail(ExitCode::refused, fmt::format("the {} {} is empty", what, path.string()));
    }
    return file;
}

/// How the kernel will learn of the handover, by what is in its image.
Result<void> choose_for(const LoadOptions& options, const Status& status, LoadInputs& out,
                        Progress& progress) {
    const auto probe =
        probe_kernel(out.image.bytes(), [&progress](std::uint64_t done, std::uint64_t all) {
            progress.update(done, all);
            return InterruptGuard::check();
        });
    if (!probe && probe.error().code == ExitCode::interrupted) {
        return tl::unexpected(probe.error());
    }
    const auto in_use = abi::version_from(status.text("abi")).value_or(abi::default_version);
    auto choice = choose_method(probe, options.wishes, options.cmdline, in_use,
                                abi::version_from(status.text("native.abi")));
    if (!choice) {
        return tl::unexpected(choice.error());
    }
    out.choice = std::move(*choice);
    out.abi = out.choice.abi.value_or(in_use);
    return {};
}

}  // namespace

Result<void> LoadInputs::check() const {
    auto ok = image.check();
    return ok ? initrd.check() : ok;
}

Result<LoadInputs> read_inputs(const LoadOptions& options, const Status& status,
                               Progress& progress) {
    LoadInputs out;
    auto image = map_input(options.kernel, "kernel");
    if (!image) {
        return tl::unexpected(image.error());
    }
    out.image = std::move(*image);
    auto kernel = parse_bzimage(out.image.bytes());
    if (!kernel) {
        return tl::unexpected(kernel.error());
    }
    out.kernel = std::move(*kernel);
    if (!options.initrd.empty()) {
        auto initrd = map_input(options.initrd, "initrd");
        if (!initrd) {
            return tl::unexpected(initrd.error());
        }
        out.initrd = std::move(*initrd);
    }
    progress.step("looking into the kernel");
    if (auto ok = choose_for(options, status, out, progress); !ok) {
        return tl::unexpected(ok.error());
    }
    return out;
}

}  // namespace khob
