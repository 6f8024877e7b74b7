// SPDX-License-Identifier: GPL-2.0-only
// khoctl run on a machine that is made up, with what it prints caught.
#ifndef KHOB_TESTS_CLI_FIXTURE_HPP
#define KHOB_TESTS_CLI_FIXTURE_HPP

#include <gtest/gtest.h>

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "fixture.hpp"
#include "run.hpp"

namespace khob::test {

/// What a run printed and returned.
struct Ran {
    int code = 0;
    std::string out;
    std::string err;
};

inline std::string contents(std::FILE* file) {
    std::string text;
    std::rewind(file);
    for (int c = std::fgetc(file); c != EOF; c = std::fgetc(file)) {
        text.push_back(static_cast<char>(c));
    }
    return text;
}

class Cli : public ::testing::Test {
  protected:
    Ran run(std::vector<const char*> args) const {
        args.insert(args.begin(), "khoctl");
        const std::unique_ptr<std::FILE, int (*)(std::FILE*)> out(std::tmpfile(), std::fclose);
        const std::unique_ptr<std::FILE, int (*)(std::FILE*)> err(std::tmpfile(), std::fclose);
        Ran ran;
        ran.code =
            to_int(cli::run(static_cast<int>(args.size()), args.data(),
                            {out.get(), err.get(), false}, [this](const std::filesystem::path&) {
                                return std::make_unique<FakeSystem>(machine.dir.path());
                            }));
        ran.out = contents(out.get());
        ran.err = contents(err.get());
        return ran;
    }
    nlohmann::json json(const std::vector<const char*>& args) const {
        const Ran ran = run(args);
        EXPECT_EQ(ran.code, 0) << ran.err;
        return nlohmann::json::parse(ran.out, nullptr, false);
    }
    Machine machine;
};

}  // namespace khob::test

#endif  // KHOB_TESTS_CLI_FIXTURE_HPP
