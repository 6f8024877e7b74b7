// SPDX-License-Identifier: GPL-2.0-only
#include "load/joined.hpp"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/mapped_file.hpp"

namespace khob {

Result<JoinedInitrds> JoinedInitrds::open(const std::vector<std::filesystem::path>& initrds) {
    JoinedInitrds out;
    if (initrds.size() <= 1) {
        out.path_ = initrds.empty() ? std::filesystem::path{} : initrds.front();
        return out;
    }
    out.memory_ = Fd(::memfd_create("initrds", MFD_CLOEXEC));
    if (!out.memory_.valid()) {
        return fail_errno(errno, "cannot join the initrds");
    }
    for (const std::filesystem::path& path : initrds) {
        const auto file = MappedFile::open(path);
        if (!file) {
            return fail(file.error().code,
                        fmt::format("cannot read the initrd: {}", file.error().what),
                        file.error().hint.empty() ? "check the path" : file.error().hint);
        }
        // The kernel looks for each archive at a multiple of four.
        constexpr std::array<std::byte, 3> zeroes{};
        const ByteView padding(zeroes.data(), (4 - file->size() % 4) % 4);
        for (const ByteView bytes : {file->bytes(), padding}) {
            if (auto ok = write_all(out.memory_.get(), bytes, "the initrds joined"); !ok) {
                return tl::unexpected(ok.error());
            }
        }
        if (auto ok = file->check(); !ok) {
            return tl::unexpected(ok.error());
        }
    }
    out.path_ = fmt::format("/proc/self/fd/{}", out.memory_.get());
    return out;
}

}  // namespace khob
