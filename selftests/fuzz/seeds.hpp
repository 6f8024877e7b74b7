// SPDX-License-Identifier: GPL-2.0-only
// What the writers of seeds share.
#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <vector>

namespace khob::fuzz {

using Bytes = std::vector<std::uint8_t>;

/// Appends the bytes of a trivially copyable value.
template <typename T>
void append(Bytes& bytes, const T& value) {
    const std::size_t at = bytes.size();
    bytes.resize(at + sizeof(T));
    std::memcpy(&bytes[at], &value, sizeof(T));
}

/// The seeds of one target.
class Corpus {
  public:
    Corpus(const std::filesystem::path& directory, const char* target)
        : directory_(directory / target) {
        std::filesystem::create_directories(directory_);
    }
    void add(const std::string& name, std::span<const std::uint8_t> bytes) {
        std::ofstream out(directory_ / ("seed-" + name), std::ios::binary);
        out.write(reinterpret_cast<const char*>(bytes.data()),
                  static_cast<std::streamsize>(bytes.size()));
        good_ = good_ && out.flush().good();
    }
    [[nodiscard]] bool good() const { return good_; }

  private:
    std::filesystem::path directory_;
    bool good_ = true;
};

/// Those of what libkho reads. Return: whether all could be written.
bool libkho_seeds(const std::filesystem::path& directory);

/// Those of what kho_luo reads. Return: whether all could be written.
bool luo_seeds(const std::filesystem::path& directory);

/// Those of the targets that fuzz khoctl's library. Return: whether all could be written.
bool tools_seeds(const std::filesystem::path& directory);

}  // namespace khob::fuzz
