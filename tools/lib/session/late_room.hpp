// SPDX-License-Identifier: GPL-2.0-only
// kho_luo's late room: memory for what programs preserve once a kernel is loaded.
#ifndef KHOB_LATE_ROOM_HPP
#define KHOB_LATE_ROOM_HPP

#include <cstdint>
#include <optional>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/system.hpp"

namespace khob {

/// What a room has unless its size is asked for: a 64th of memory, and no more than this.
inline constexpr std::uint64_t late_room_most = 64U << 20U;

class LateRoom {
  public:
    LateRoom() = default;
    LateRoom(const LateRoom&) = delete;
    LateRoom& operator=(const LateRoom&) = delete;
    LateRoom(LateRoom&& other) noexcept;
    LateRoom& operator=(LateRoom&&) = delete;
    /// Gives it back unless keep() was called; what sessions have of it stays.
    ~LateRoom();

    /**
     * Sets so much aside, before anything is frozen. `bytes`: nothing: what is usual for `ram`
     * bytes of memory, if it can be had. Without kho_luo, or where the kernel's own KHO needs no
     * such room, it is empty.
     *
     * Errors (refused), of a size that was asked for: no kho_luo, or no memory.
     */
    static Result<LateRoom> make(const System& sys, std::optional<std::uint64_t> bytes,
                                 std::uint64_t ram);

    /// Gives back what no session has. Nothing to give back is no error.
    static Result<void> drop(const System& sys);

    std::uint64_t bytes() const { return bytes_; }
    void keep() { keep_ = true; }

  private:
    const System* sys_ = nullptr;
    Fd fd_;
    std::uint64_t bytes_ = 0;
    bool keep_ = false;
};

}  // namespace khob

#endif  // KHOB_LATE_ROOM_HPP
