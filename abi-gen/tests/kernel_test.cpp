// SPDX-License-Identifier: GPL-2.0-only
// A small schema against small kernels: what agrees, what does not, what only
// one of them has, and what keeps the comparison from being done.
#include "kernel.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "fixture.hpp"

namespace khob::gen::test {
namespace {

namespace fs = std::filesystem;

const std::string abi = "include/linux/kho/abi/";

/// Both versions have the compatible string in T_COMPATIBLE.
std::string kernel_schema() {
    std::string text = schema_text(R"(    header: include/linux/kho/abi/small.h
    constants:
      answer: {upstream: T_ANSWER, value: 42, doc: d}
      later: {since: v2, upstream: T_LATER, value: 2, doc: d}
      listed: {upstream: T_LISTED, value: page_shift + 1, doc: d}
      high: {upstream: T_HIGH, value: 0x80000000, type: u32, format: hex, doc: d}
      ours: {value: 1, doc: d}
      coded: {upstream: T_CODED, header: kernel/code.c, value: 4100, doc: d}
      elsewhere: {upstream: T_ELSEWHERE, header: "old/place.h, new/place.h", value: 5, doc: d}
    strings:
      name: {upstream: T_NAME, value: a-name, doc: d}
    properties:
      prop: {upstream: T_PROP, node: root, property: a-prop, type: u64, doc: d}
    structs:
      head:
        upstream: struct t_head
        packed: true
        doc: d
        fields:
          - {name: kind, type: u32, doc: d}
          - {name: next, upstream: link.next, type: u64, doc: d}
          - {name: table, type: u64, length: page_size / sizeof(u64), doc: d}
      bits:
        upstream: struct t_bits
        packed: true
        doc: d
        fields:
          - {name: low, type: u64, bits: 52, doc: d}
          - {name: high, type: u64, bits: 12, doc: d}
)");
    for (const char* compatible : {"a", "b"}) {
        const std::string old = std::string("compatible: ") + compatible;
        text.insert(text.find(old) + old.size(), ", upstream: T_COMPATIBLE");
    }
    return text;
}

const std::string small_header = R"(#ifndef SMALL_H
#define SMALL_H
#define T_COMPATIBLE "b"
#define T_ANSWER (40 + 2)
#define T_LATER 2
#define T_HIGH (1 << 31)
#define T_NAME "a-" "name"
#define T_PROP "a-prop"
#define T_TWICE(x) ((x) * 2)
enum { T_LISTED = CONFIG_PAGE_SHIFT + 1 };
struct t_head;
struct t_link {
	union {
		unsigned long long next;
		struct t_head *pointer;
	};
};
typedef struct t_link t_link_type;
struct t_head {
	unsigned int kind;
	t_link_type link;
	unsigned long long table[(1UL << CONFIG_PAGE_SHIFT) / 8];
} __attribute__((packed));
struct t_bits {
	unsigned long long low : 52;
	unsigned long long high : 12;
} __attribute__((__packed__));
struct t_other {
	int x;
};
#endif
)";

class Kernel : public testing::Test {
  protected:
    void SetUp() override {
        if (std::system("clang --version >/dev/null 2>&1") != 0) {  // NOLINT(cert-env33-c)
            GTEST_SKIP() << "clang is not installed";
        }
        std::string pattern = (fs::temp_directory_path() / "abi gen test XXXXXX").string();
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        directory_ = pattern;
        put(abi + "small.h", small_header);
        put("new/place.h", "#define T_ELSEWHERE 5\n");
        put("kernel/code.c",
            "#include <nowhere.h>\nstatic int no header;\n"
            "#define T_CODED\t(OTHER + \\\n\t\t4)\n#define OTHER 4096\n");
        put("Makefile",
            "# A kernel's\nVERSION = 9\nPATCHLEVEL = 8\nSUBLEVEL = 7\n"
            "EXTRAVERSION = -rc6\nNAME = x\n");
    }

    void TearDown() override {
        std::error_code ignored;
        fs::remove_all(directory_, ignored);
    }

    void put(const std::string& path, const std::string& text) const {
        fs::create_directories((directory_ / path).parent_path());
        std::ofstream(directory_ / path) << text;
    }

    /// Replaces old, which has to be in the small header.
    void alter(const std::string& old, const std::string& now) const {
        std::string text = small_header;
        const std::size_t at = text.find(old);
        ASSERT_NE(at, std::string::npos) << old;
        put(abi + "small.h", text.replace(at, old.size(), now));
    }

    [[nodiscard]] Result<KernelReport> compare(KernelOptions options = {}) const {
        const auto schema = parse_schema(kernel_schema(), file);
        EXPECT_TRUE(schema) << listing(schema.error());
        if (options.tree.empty()) {
            options.tree = directory_;
        }
        return conform_kernel({&*schema, 1}, options);
    }

    [[nodiscard]] std::string text(const KernelOptions& options = {}) const {
        const auto report = compare(options);
        EXPECT_TRUE(report) << listing(report.error());
        return report ? to_text(*report) : "";
    }

    /// Everything that the report says after "agree", without what only one side has.
    [[nodiscard]] std::string complaints() const {
        std::string all = text();
        all.erase(0, all.find('\n') + 1);
        const std::size_t end = all.find("only in");
        return end == std::string::npos ? all : all.substr(0, end);
    }

    [[nodiscard]] std::string error(const KernelOptions& options = {}) const {
        const auto report = compare(options);
        EXPECT_FALSE(report);
        return report ? "" : listing(report.error());
    }

    fs::path directory_;
};

TEST_F(Kernel, AgreesAndSaysWhatOnlyItHas) {
    EXPECT_EQ(text(), "v2 at 4K against " + directory_.string() +
                          " (Linux 9.8.7-rc6 by its Makefile): 16 of 16 agree\n"
                          "only in the kernel:\n"
                          "  include/linux/kho/abi/small.h:\n"
                          "    struct t_other\n");
}

TEST_F(Kernel, IsReadAtThePageSizeThatIsAskedFor) {
    KernelOptions options;
    options.page_shift = 14;
    EXPECT_NE(text(options).find("v2 at 16K"), std::string::npos);
    EXPECT_NE(text(options).find("16 of 16 agree"), std::string::npos);
}

TEST_F(Kernel, IsComparedWithTheVersionThatItHas) {
    alter("\"b\"", "\"a\"");
    const std::string said = text();
    EXPECT_NE(said.find("v1 at 4K"), std::string::npos) << said;
    EXPECT_NE(said.find("15 of 15 agree"), std::string::npos) << said;
    EXPECT_NE(said.find("    T_LATER, struct t_other\n"), std::string::npos) << said;
}

TEST_F(Kernel, IsComparedWithTheVersionThatIsAskedFor) {
    KernelOptions options;
    options.version = "v1";
    EXPECT_NE(text(options).find("version v1 (T_COMPATIBLE in include/linux/kho/abi/small.h): the "
                                 "schema has \"a\", the kernel \"b\"\n"),
              std::string::npos)
        << text(options);
}

struct Alteration {
    const char* name;
    const char* old;
    const char* now;
    const char* says;
};

class Altered : public Kernel, public testing::WithParamInterface<Alteration> {};

TEST_P(Altered, IsNamed) {
    alter(GetParam().old, GetParam().now);
    EXPECT_EQ(complaints(), GetParam().says);
}

constexpr std::array<Alteration, 10> alterations = {{
    {"value", "(40 + 2)", "(40 + 3)",
     "constant answer (T_ANSWER in include/linux/kho/abi/small.h): the schema has 42, the kernel "
     "43\n"},
    {"negative_value", "(40 + 2)", "-1",
     "constant answer (T_ANSWER in include/linux/kho/abi/small.h): the schema has 42, the kernel "
     "18446744073709551615\n"},
    {"enumerator", "T_LISTED = CONFIG_PAGE_SHIFT", "T_LISTED = 0",
     "constant listed (T_LISTED in include/linux/kho/abi/small.h): the schema has 13, the kernel "
     "1\n"},
    {"hexadecimal", "(1 << 31)", "(1 << 30)",
     "constant high (T_HIGH in include/linux/kho/abi/small.h): the schema has 0x80000000, the "
     "kernel 0x40000000\n"},
    {"string", R"("a-" "name")", R"("a\n\"\xff")",
     "string name (T_NAME in include/linux/kho/abi/small.h): the schema has \"a-name\", the kernel "
     "\"a\\x0a\\\"\\xff\"\n"},
    {"kind", "\"a-prop\"", "7",
     "property prop (T_PROP in include/linux/kho/abi/small.h): the schema has \"a-prop\", the "
     "kernel 7\n"},
    {"size_of_a_field", "unsigned int kind", "unsigned long kind",
     "struct head (struct t_head in include/linux/kho/abi/small.h): the schema has size 4108, the "
     "kernel size 4112\n"
     "field head.kind (struct t_head.kind in include/linux/kho/abi/small.h): the schema has size "
     "4, the kernel size 8\n"
     "field head.next (struct t_head.link.next in include/linux/kho/abi/small.h): the schema has "
     "offset 4, the kernel offset 8\n"
     "field head.table (struct t_head.table in include/linux/kho/abi/small.h): the schema has "
     "offset 12, the kernel offset 16\n"},
    {"bits", "unsigned int kind;", "unsigned int kind : 31;",
     "field head.kind (struct t_head.kind in include/linux/kho/abi/small.h): the schema has size "
     "4, the kernel size \"31 bits\"\n"},
    {"bit_fields", "low : 52;\n\tunsigned long long high : 12",
     "low : 48;\n\tunsigned long long high : 16",
     "field bits.low (struct t_bits.low in include/linux/kho/abi/small.h): the schema has bits 52, "
     "the kernel bits 48\n"
     "field bits.high (struct t_bits.high in include/linux/kho/abi/small.h): the schema has first "
     "bit 52, bits 12, the kernel first bit 48, bits 16\n"},
    {"alignment", "__attribute__((packed))", "__attribute__((packed, aligned(4)))",
     "struct head (struct t_head in include/linux/kho/abi/small.h): the schema has alignment 1, "
     "the kernel alignment 4\n"},
}};

INSTANTIATE_TEST_SUITE_P(All, Altered, testing::ValuesIn(alterations),
                         [](const auto& one) { return std::string(one.param.name); });

TEST_F(Kernel, ListsWhatItLacks) {
    alter("#define T_NAME", "#define T_RENAMED");
    const std::string said = text();
    EXPECT_NE(said.find("15 of 15 agree"), std::string::npos) << said;
    EXPECT_NE(said.find("only in the schema:\n  include/linux/kho/abi/small.h:\n"
                        "    name (T_NAME)\n"
                        "only in the kernel:\n  include/linux/kho/abi/small.h:\n"
                        "    T_RENAMED, struct t_other\n"),
              std::string::npos)
        << said;
}

TEST_F(Kernel, ListsFieldsThatOnlyOneHas) {
    alter("unsigned int kind;", "unsigned int sort;");
    const std::string said = text();
    EXPECT_NE(said.find("15 of 15 agree"), std::string::npos) << said;
    EXPECT_NE(said.find("    head.kind (struct t_head.kind)\n"), std::string::npos) << said;
    EXPECT_NE(said.find("    struct t_head.sort, struct t_other\n"), std::string::npos) << said;
}

TEST_F(Kernel, AMacroOfACFileIsReadAsText) {
    put("kernel/code.c", "#define OTHER 8192\n#define T_CODED (OTHER + 4)\n");
    EXPECT_EQ(complaints(),
              "constant coded (T_CODED in kernel/code.c): the schema has 4100, the kernel 8196\n");
}

/// Upstream's device, whose names are those of its header.
const std::string device_schema = R"(format: 1
kind: device
version: 1
prefix: t
path: /dev/t
header: include/uapi/linux/t.h
ioctl_type: ioctl_type
doc: d
errors: {}
sections:
  all:
    doc: d
    constants:
      ioctl_type: {value: 0xba, doc: d}
      cmd_get: {value: 0x40, doc: d}
    ioctls:
      get: {nr: cmd_get, argument: get, doc: d}
    structs:
      get:
        doc: d
        fields:
          - {name: size, type: u32, doc: d}
          - {name: fd, type: s32, doc: d}
)";

TEST_F(Kernel, ADeviceOfUpstreamIsComparedToo) {
    put("include/uapi/linux/t.h",
        "#define T_IOCTL_TYPE 0xBA\nenum { T_CMD_GET = 0x40, T_CMD_PUT };\n"
        "#define T_GET (T_IOCTL_TYPE << 8 | T_CMD_GET)\n"
        "struct t_get { unsigned int size; int fd; };\n");
    std::vector<Schema> schemas;
    for (const std::string& text : {kernel_schema(), device_schema}) {
        auto schema = parse_schema(text, file);
        ASSERT_TRUE(schema) << listing(schema.error());
        schemas.push_back(std::move(*schema));
    }
    KernelOptions options;
    options.tree = directory_;
    const auto report = conform_kernel(schemas, options);
    ASSERT_TRUE(report) << listing(report.error());
    EXPECT_EQ(to_text(*report), "v2, t version 1 at 4K against " + directory_.string() +
                                    " (Linux 9.8.7-rc6 by its Makefile): 22 of 22 agree\n"
                                    "only in the kernel:\n"
                                    "  include/linux/kho/abi/small.h:\n"
                                    "    struct t_other\n"
                                    "  include/uapi/linux/t.h:\n"
                                    "    T_CMD_PUT\n");
}

TEST_F(Kernel, SaysWhichHeaderTheTreeLacks) {
    fs::remove(directory_ / "new/place.h");
    const std::string said = text();
    EXPECT_NE(said.find("15 of 15 agree"), std::string::npos) << said;
    EXPECT_NE(said.find("not compared, for want of the header in this tree:\n  old/place.h:\n"
                        "    elsewhere (T_ELSEWHERE)\n"),
              std::string::npos)
        << said;
}

TEST_F(Kernel, IsReadWithStandInsForWhatIsGenerated) {
    put("include/asm-generic/only.h", "#define T_ANSWER 42\n");
    put("include/uapi/asm-generic/types.h", "typedef unsigned int t_u32;\n");
    put("include/linux/kconfig.h", "#include <generated/autoconf.h>\n#define HAVE_KCONFIG 1\n");
    put("include/generated/autoconf.h", "#error \"the tree's configuration is of no interest\"\n");
    put("include/linux/utsname.h", "#error \"half the kernel\"\n");
    put("include/uapi/linux/utsname.h", "#define T_LATER 2\n");
    std::string altered = small_header;
    const std::string old = "#define T_ANSWER (40 + 2)\n#define T_LATER 2\n";
    altered.replace(altered.find(old), old.size(),
                    "#include <asm/only.h>\n#include <asm/types.h>\n#include <linux/utsname.h>\n"
                    "#if !HAVE_KCONFIG\n#error\n#endif\n");
    put(abi + "small.h", altered);
    EXPECT_NE(text().find("16 of 16 agree"), std::string::npos) << text();
}

TEST_F(Kernel, ReportsTheSameAsJson) {
    alter("(40 + 2)", "43");
    fs::remove(directory_ / "new/place.h");
    const auto report = compare();
    ASSERT_TRUE(report) << listing(report.error());
    const auto json = nlohmann::json::parse(to_json(*report));
    EXPECT_EQ(json["format"], 1);
    EXPECT_EQ(json["release"], "9.8.7-rc6");
    EXPECT_EQ(json["versions"], nlohmann::json::parse(R"([{
        "schema": "test.yaml", "version": "v2", "compatible": "b"}])"));
    EXPECT_EQ(json["page_shift"], 12);
    EXPECT_EQ(json["compared"], 15);
    EXPECT_EQ(json["agreeing"], 14);
    EXPECT_EQ(json["mismatches"], nlohmann::json::parse(R"([{
        "kind": "constant", "name": "answer", "upstream": "T_ANSWER",
        "header": "include/linux/kho/abi/small.h",
        "differences": [{"what": "value", "schema": 42, "kernel": 43}]}])"));
    EXPECT_EQ(json["not_in_tree"][0]["name"], "elsewhere");
    EXPECT_EQ(json["only_in_schema"], nlohmann::json::array());
    EXPECT_EQ(json["only_in_kernel"], nlohmann::json::parse(R"([{
        "kind": "struct", "upstream": "struct t_other",
        "header": "include/linux/kho/abi/small.h"}])"));
}

TEST_F(Kernel, OfAVersionThatTheSchemaDoesNotKnowIsAnError) {
    alter("\"b\"", "\"c\"");
    EXPECT_EQ(error(), (directory_ / abi).string() +
                           "small.h: error: T_COMPATIBLE is \"c\", which the schema does not know; "
                           "known are: a, b; add it to the schema, or name one to compare with "
                           "with --abi\n");
}

TEST_F(Kernel, OfNoVersionIsAnError) {
    alter("#define T_COMPATIBLE \"b\"\n", "");
    EXPECT_NE(error().find("no header in include/linux/kho/abi/ defines T_COMPATIBLE as a string, "
                           "so its version is not known; name one with --abi"),
              std::string::npos);
}

TEST_F(Kernel, WhoseHeadersDoNotCompileIsAnError) {
    alter("#define SMALL_H\n", "#define SMALL_H\n#include <not/there.h>\n");
    EXPECT_EQ(error(), (directory_ / abi).string() +
                           "small.h:3:10: error: 'not/there.h' file not found: clang cannot read "
                           "this kernel's headers; see that the tree is complete, or try a newer "
                           "clang\n");
    alter("(40 + 2)", "(40 + T_NOWHERE)");
    EXPECT_NE(error().find("T_ANSWER:1:"), std::string::npos) << error();
    EXPECT_NE(error().find("error: use of undeclared identifier 'T_NOWHERE': clang"),
              std::string::npos)
        << error();
}

TEST_F(Kernel, WithoutTheHeadersIsAnError) {
    KernelOptions options;
    options.tree = directory_ / "new";
    EXPECT_NE(error(options).find("new: error: there is no header in include/linux/kho/abi/: this "
                                  "kernel is older than KHO's ABI or this is not where its "
                                  "sources are; of an installed kernel with headers they are in "
                                  "/lib/modules/RELEASE/source\n"),
              std::string::npos)
        << error(options);
    options.tree = directory_ / "none";
    EXPECT_NE(error(options).find("none: error: is no directory; name a kernel's source tree or "
                                  "unpacked header package\n"),
              std::string::npos)
        << error(options);
}

TEST_F(Kernel, CannotBeReadWithoutClang) {
    KernelOptions options;
    options.clang = "no-such-clang";
    EXPECT_EQ(error(options),
              "no-such-clang: error: cannot be run: No such file or directory; install clang, or "
              "name one with --clang\n");
}

}  // namespace
}  // namespace khob::gen::test
