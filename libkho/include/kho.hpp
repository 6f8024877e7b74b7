// SPDX-License-Identifier: GPL-2.0-only
// libkho for C++20: kho.h with owners and values. Header only; link with libkho.
//
//     auto session = kho::Session::create("my-program");
//     if (!session) {
//         std::cerr << session.error().what() << '\n';
//     } else if (auto put = session->put("state", file); !put) {
//         ...
//     }
//
// Licence: see kho.h.
#ifndef KHO_HPP
#define KHO_HPP

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "kho.h"

namespace kho {

/// Why a call failed.
struct Error {
    kho_error code = KHO_OK;
    /// The errno of the call that failed.
    int err = 0;
    /// A sentence that names cause and remedy.
    [[nodiscard]] const char* what() const { return kho_strerror(code); }
    bool operator==(kho_error other) const { return code == other; }
};

/// A value or why there is none: as much of C++23's std::expected as is needed here.
template <typename T>
class [[nodiscard]] Result {
  public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: a value is one
    Result(Error error) : state_(std::in_place_index<1>, error) {}         // NOLINT: so is an error

    [[nodiscard]] bool has_value() const { return state_.index() == 0; }
    explicit operator bool() const { return has_value(); }
    // Only if there is a value.
    T& operator*() & { return *std::get_if<0>(&state_); }
    const T& operator*() const& { return *std::get_if<0>(&state_); }
    T&& operator*() && { return std::move(*std::get_if<0>(&state_)); }
    T* operator->() { return std::get_if<0>(&state_); }
    const T* operator->() const { return std::get_if<0>(&state_); }
    /// Only if there is none.
    [[nodiscard]] const Error& error() const { return *std::get_if<1>(&state_); }

  private:
    std::variant<T, Error> state_;
};

/// Nothing, or why it failed.
template <>
class [[nodiscard]] Result<void> {
  public:
    Result() = default;
    Result(Error error) : error_(error) {}  // NOLINT: an error is one

    [[nodiscard]] bool has_value() const { return !error_; }
    explicit operator bool() const { return has_value(); }
    /// Only if it failed.
    [[nodiscard]] const Error& error() const { return *error_; }

  private:
    std::optional<Error> error_;
};

namespace detail {

inline Error failed(kho_error code) {
    return {.code = code, .err = errno};
}

/// A text of C ends where this one has a NUL: the name would be another one.
inline bool has_nul(const std::string& name) {
    return name.find('\0') != std::string::npos;
}

inline Error invalid() {
    return {.code = KHO_INVALID, .err = EINVAL};
}

inline Result<void> done(kho_error code) {
    if (code != KHO_OK) {
        return failed(code);
    }
    return {};
}

}  // namespace detail

/// Bytes of a file, mapped as long as this lives. What is written there is in the file.
class Mapping {
  public:
    explicit Mapping(std::span<std::byte> bytes) : bytes_(bytes) {}
    Mapping(Mapping&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
    Mapping& operator=(Mapping&& other) noexcept {
        std::swap(bytes_, other.bytes_);
        return *this;
    }
    Mapping(const Mapping&) = delete;
    Mapping& operator=(const Mapping&) = delete;
    ~Mapping() {
        if (!bytes_.empty()) {
            munmap(bytes_.data(), bytes_.size());
        }
    }

    [[nodiscard]] std::span<std::byte> bytes() const { return bytes_; }

  private:
    std::span<std::byte> bytes_;
};

/// A memfd, open as long as this lives.
class File {
  public:
    /// Takes a descriptor over.
    explicit File(int fd) : fd_(fd) {}
    File(File&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    File& operator=(File&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    ~File() {
        if (fd_ >= 0) {
            close(fd_);
        }
    }

    /// A new one, full of zeroes: see kho_memfd(). size: in bytes.
    static Result<File> make(const std::string& name, std::uint64_t size) {
        int fd = -1;
        const kho_error code = kho_memfd(name.c_str(), size, &fd);
        if (code != KHO_OK) {
            return detail::failed(code);
        }
        return File(fd);
    }

    [[nodiscard]] int fd() const { return fd_; }

    /// All of it, for reading and writing. KHO_INVALID for a file of no bytes.
    [[nodiscard]] Result<Mapping> map() const {
        struct stat status {};
        if (fstat(fd_, &status) != 0) {
            return detail::failed(KHO_SYSTEM);
        }
        const auto size = static_cast<std::size_t>(status.st_size);
        if (size == 0) {
            return detail::invalid();
        }
        void* at = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
        if (at == MAP_FAILED) {  // NOLINT: a cast from int
            return detail::failed(errno == ENOMEM ? KHO_NO_MEMORY : KHO_SYSTEM);
        }
        return Mapping({static_cast<std::byte*>(at), size});
    }

  private:
    int fd_;
};

/// A session, open as long as this lives: see kho_session_close() for what that means.
class Session {
  public:
    /// Takes a session of kho.h over, which is not NULL.
    explicit Session(kho_session* session) : session_(session) {}
    Session(Session&& other) noexcept : session_(std::exchange(other.session_, nullptr)) {}
    Session& operator=(Session&& other) noexcept {
        std::swap(session_, other.session_);
        return *this;
    }
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    ~Session() { kho_session_close(session_); }

    /// kho_session_create()
    static Result<Session> create(const std::string& name) {
        return open(name, &kho_session_create);
    }
    /// kho_session_retrieve()
    static Result<Session> retrieve(const std::string& name) {
        return open(name, &kho_session_retrieve);
    }

    /// kho_session_put()
    Result<void> put(const std::string& name, const File& file) {
        if (detail::has_nul(name)) {
            return detail::invalid();
        }
        return detail::done(kho_session_put(session_, name.c_str(), file.fd()));
    }
    /// kho_session_get()
    [[nodiscard]] Result<File> get(const std::string& name) {
        if (detail::has_nul(name)) {
            return detail::invalid();
        }
        int fd = -1;
        const kho_error code = kho_session_get(session_, name.c_str(), &fd);
        if (code != KHO_OK) {
            return detail::failed(code);
        }
        return File(fd);
    }
    /// kho_session_finish()
    Result<void> finish() { return detail::done(kho_session_finish(session_)); }

    /// All names, in the order in which they were put.
    [[nodiscard]] std::vector<std::string> names() const {
        std::vector<std::string> all;
        for (std::size_t i = 0;; i++) {
            const char* name = kho_session_file(session_, i);
            if (name == nullptr) {
                return all;
            }
            all.emplace_back(name);
        }
    }
    /// kho_session_check()
    [[nodiscard]] kho_error check() const { return kho_session_check(session_); }
    /// kho_session_why(); empty if nothing is wrong.
    [[nodiscard]] std::string_view why() const {
        const char* why = kho_session_why(session_);
        return why == nullptr ? std::string_view() : std::string_view(why);
    }
    [[nodiscard]] std::string_view name() const { return kho_session_name(session_); }
    [[nodiscard]] bool came() const { return kho_session_came(session_); }
    [[nodiscard]] int fd() const { return kho_session_fd(session_); }
    /// For the calls of kho.h; stays this one's.
    [[nodiscard]] kho_session* handle() const { return session_; }

  private:
    static Result<Session> open(const std::string& name,
                                kho_error (*how)(const char*, kho_session**)) {
        if (detail::has_nul(name)) {
            return detail::invalid();
        }
        kho_session* session = nullptr;
        const kho_error code = how(name.c_str(), &session);
        if (code != KHO_OK) {
            return detail::failed(code);
        }
        return Session(session);
    }

    kho_session* session_;
};

/// What keep() has found or made: see kho_keep().
struct Kept {
    std::optional<Session> session;
    std::optional<File> file;
    bool found = false;
    /// KHO_OK if the file is handed over to the next kernel.
    Error error;
};

/// kho_keep(). A failure has a value too: there may be a file all the same.
inline Kept keep(const std::string& session, const std::string& file, std::uint64_t size) {
    if (detail::has_nul(session) || detail::has_nul(file)) {
        return {.session = std::nullopt, .file = std::nullopt, .error = detail::invalid()};
    }
    kho_kept kept{};
    const kho_error code = kho_keep(session.c_str(), file.c_str(), size, &kept);
    Kept all{.session = std::nullopt, .file = std::nullopt, .found = kept.found, .error = {}};
    if (code != KHO_OK) {
        all.error = detail::failed(code);
    }
    if (kept.session != nullptr) {
        all.session.emplace(kept.session);
    }
    if (kept.fd >= 0) {
        all.file.emplace(kept.fd);
    }
    return all;
}

}  // namespace kho

#endif  // KHO_HPP
