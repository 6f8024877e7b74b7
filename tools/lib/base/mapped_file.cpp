// SPDX-License-Identifier: GPL-2.0-only
// Mapped files, and what becomes of an access behind the end of one.
#include "base/mapped_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>

namespace khob {

/// One mapping, in the list that the handler goes through.
struct MappedFile::Mapping {
    Mapping(std::byte* at, std::size_t bytes);
    Mapping(const Mapping&) = delete;
    Mapping& operator=(const Mapping&) = delete;
    Mapping(Mapping&&) = delete;
    Mapping& operator=(Mapping&&) = delete;
    ~Mapping();

    /// Zeroes from the page of `at` on, if that lies inside.
    bool give_zeroes(const void* at);
    static void on_bus_error(int number, siginfo_t* info, void* context);

    std::byte* start;
    std::size_t size;
    volatile std::sig_atomic_t lost = 0;
    Mapping* next = nullptr;

    // An access to a mapping is what raises the signal: while the list changes there is none.
    static Mapping* first;
    static struct sigaction before;
};

MappedFile::Mapping* MappedFile::Mapping::first = nullptr;
struct sigaction MappedFile::Mapping::before {};

bool MappedFile::Mapping::give_zeroes(const void* at) {
    const auto address = reinterpret_cast<std::uintptr_t>(at);
    const auto begin = reinterpret_cast<std::uintptr_t>(start);
    if (address < begin || address >= begin + size) {
        return false;
    }
    const std::size_t offset = align_down(address - begin, page_size);
    if (::mmap(start + offset, size - offset, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
               -1, 0) == MAP_FAILED) {
        return false;
    }
    lost = 1;
    return true;
}

void MappedFile::Mapping::on_bus_error(int number, siginfo_t* info, void* /*context*/) {
    const int saved = errno;
    for (Mapping* one = first; one != nullptr; one = one->next) {
        if (one->give_zeroes(info->si_addr)) {
            errno = saved;
            return;
        }
    }
    // Not ours: the access comes again, to whatever was there before.
    ::sigaction(number, &before, nullptr);
}

MappedFile::Mapping::Mapping(std::byte* at, std::size_t bytes) : start(at), size(bytes) {
    if (first == nullptr) {
        struct sigaction action {};
        action.sa_sigaction = on_bus_error;
        action.sa_flags = SA_SIGINFO;
        ::sigaction(SIGBUS, &action, &before);
    }
    next = std::exchange(first, this);
}

MappedFile::Mapping::~Mapping() {
    for (Mapping** at = &first; *at != nullptr; at = &(*at)->next) {
        if (*at == this) {
            *at = next;
            break;
        }
    }
    ::munmap(start, size);
    if (first == nullptr) {
        ::sigaction(SIGBUS, &before, nullptr);
    }
}

MappedFile::MappedFile() = default;
MappedFile::MappedFile(MappedFile&& other) noexcept = default;
MappedFile& MappedFile::operator=(MappedFile&& other) noexcept = default;
MappedFile::~MappedFile() = default;

namespace {

/// What cannot be mapped, up to a bound.
Result<ByteVector> read_some(int fd, const std::filesystem::path& path, std::uint64_t most) {
    constexpr std::size_t piece = 1U << 16;
    ByteVector out;
    for (;;) {
        const std::size_t have = out.size();
        out.resize(have + piece);
        const ssize_t n = ::read(fd, out.data() + have, piece);
        if (n < 0 && errno != EINTR) {
            return fail_errno(errno, fmt::format("cannot read {}", path.string()));
        }
        out.resize(have + static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
        if (out.size() > most) {
            return fail(ExitCode::refused,
                        fmt::format("{} is no file that can be mapped, and has more than {}",
                                    path.string(), human_bytes(most)),
                        "copy it into a file and give that");
        }
        if (n == 0) {
            return out;
        }
    }
}

}  // namespace

Result<MappedFile> MappedFile::open(const std::filesystem::path& path) {
    auto fd = open_file(path, O_RDONLY);
    if (!fd) {
        return tl::unexpected(fd.error());
    }
    struct stat st {};
    if (::fstat(fd->get(), &st) != 0) {
        return fail_errno(errno, fmt::format("cannot look at {}", path.string()));
    }
    MappedFile out;
    out.path_ = path;
    if (S_ISREG(st.st_mode) && st.st_size > 0) {
        const auto size = static_cast<std::size_t>(st.st_size);
        void* at = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd->get(), 0);
        if (at != MAP_FAILED) {
            out.mapping_ = std::make_unique<Mapping>(static_cast<std::byte*>(at), size);
            out.fd_ = std::move(*fd);
            out.written_ = st.st_mtim;
            return out;
        }
    }
    auto bytes = read_some(fd->get(), path, max_read);
    if (!bytes) {
        return tl::unexpected(bytes.error());
    }
    out.read_ = std::move(*bytes);
    return out;
}

ByteView MappedFile::bytes() const {
    return mapping_ ? ByteView(mapping_->start, mapping_->size) : ByteView(read_);
}

Result<void> MappedFile::check() const {
    if (!mapping_) {
        return {};
    }
    struct stat st {};
    if (::fstat(fd_.get(), &st) != 0) {
        return fail_errno(errno, fmt::format("cannot look at {}", path_.string()));
    }
    const bool same = static_cast<std::uint64_t>(st.st_size) == mapping_->size &&
                      st.st_mtim.tv_sec == written_.tv_sec &&
                      st.st_mtim.tv_nsec == written_.tv_nsec;
    if (!same) {
        return fail(ExitCode::refused,
                    fmt::format("{} was written to while it was being read", path_.string()),
                    "try again when that is over");
    }
    if (mapping_->lost != 0) {
        return fail(ExitCode::refused, fmt::format("{} cannot be read to its end", path_.string()),
                    "the kernel log (dmesg) says what its disk has");
    }
    return {};
}

}  // namespace khob
