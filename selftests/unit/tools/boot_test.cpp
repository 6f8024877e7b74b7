// SPDX-License-Identifier: GPL-2.0-only
// Which kernel would boot next: GRUB's language and menu, systemd-boot's entries, load.conf, and
// whose choice counts.
#include <gtest/gtest.h>

#include <string>

#include "base/bytes.hpp"
#include "base/files.hpp"
#include "boot/grub.hpp"
#include "boot/grub_script.hpp"
#include "boot/load_conf.hpp"
#include "boot/loader.hpp"
#include "boot/next.hpp"
#include "fixture.hpp"
#include "load/joined.hpp"

namespace khob::boot {
namespace {

/// Of the shape that grub-mkconfig gives it on Debian.
constexpr std::string_view grub_cfg = R"(
# It is automatically generated
if [ -s $prefix/grubenv ]; then
  set have_grubenv=true
  load_env
fi
if [ "${next_entry}" ] ; then
   set default="${next_entry}"
   set next_entry=
   save_env next_entry
   set boot_once=true
else
   set default="${saved_entry}"
fi

if [ x"${feature_menuentry_id}" = xy ]; then
  menuentry_id_option="--id"
else
  menuentry_id_option=""
fi
export menuentry_id_option
function gfxmode {
	set gfxpayload="${1}"
}
menuentry 'Debian GNU/Linux' --class debian --class os $menuentry_id_option 'simple' {
	load_video
	if [ x$grub_platform = xxen ]; then insmod xzio; insmod lzopio; fi
	if [ x$feature_platform_search_hint = xy ]; then
	  search --no-floppy --fs-uuid --set=root --hint-bios=hd0,gpt2  1234
	else
	  search --no-floppy --fs-uuid --set=root 1234
	fi
	echo	'Loading Linux 6.12 ...'
	linux	/boot/vmlinuz-6.12 root=UUID=1234 ro  quiet $vt_handoff "dyndbg=file a.c +p"
	initrd	/boot/early.img /boot/initrd.img-6.12
}
submenu 'Advanced options for Debian GNU/Linux' $menuentry_id_option 'advanced' {
	menuentry 'Debian GNU/Linux, with Linux 6.12' --class os $menuentry_id_option 'a-6.12' {
		linux	/boot/vmlinuz-6.12 root=UUID=1234 ro
	}
	menuentry 'Debian GNU/Linux, with Linux 6.1' --class os $menuentry_id_option 'a-6.1' {
		linux	(hd0,gpt2)/boot/vmlinuz-6.1 root=UUID=1234 ro
		initrd	(hd0,gpt2)/boot/initrd.img-6.1
	}
}
if [ "$grub_platform" = "efi" ]; then
	menuentry 'UEFI Firmware Settings' $menuentry_id_option 'uefi' {
		fwsetup
	}
fi
menuentry "It's up to GRUB" --id=guess {
	if loadable; then
		linux /boot/a
	else
		linux /boot/b
	fi
}
)";

std::string kernel_of(const Variables& variables) {
    const auto entry = grub_default(grub_cfg, variables);
    return entry ? entry->kernel : entry.error().what;
}

TEST(Grub, TheDefaultEntry) {
    const auto entry = grub_default(grub_cfg, {{"grub_platform", "pc"}});
    ASSERT_TRUE(entry) << entry.error().what;
    EXPECT_EQ(entry->title, "Debian GNU/Linux");
    EXPECT_EQ(entry->kernel, "/boot/vmlinuz-6.12");
    EXPECT_EQ(entry->initrds,
              (std::vector<std::string>{"/boot/early.img", "/boot/initrd.img-6.12"}));
    EXPECT_EQ(entry->cmdline, "root=UUID=1234 ro quiet \"dyndbg=file a.c +p\"");
}

TEST(Grub, EntriesByPlaceIdAndTitle) {
    for (const char* one : {"1>1", "advanced>a-6.1", "1>Debian GNU/Linux, with Linux 6.1",
                            "Advanced options for Debian GNU/Linux>1"}) {
        EXPECT_EQ(kernel_of({{"saved_entry", one}}), "/boot/vmlinuz-6.1") << one;
    }
    // GRUB takes the first if there is no such one, of a submenu as well.
    for (const char* none : {"", "7", "gone", "advanced", "advanced>gone"}) {
        EXPECT_EQ(kernel_of({{"saved_entry", none}}), "/boot/vmlinuz-6.12") << none;
    }
    EXPECT_EQ(kernel_of({{"saved_entry", "0"}, {"next_entry", "1>1"}}), "/boot/vmlinuz-6.1");
}

TEST(Grub, WhatCannotBeBooted) {
    EXPECT_EQ(kernel_of({{"saved_entry", "uefi"}, {"grub_platform", "efi"}}),
              "GRUB's default entry 'UEFI Firmware Settings' boots no Linux kernel");
    EXPECT_EQ(kernel_of({{"saved_entry", "guess"}}),
              "what GRUB's entry 'It's up to GRUB' boots depends on what only GRUB can tell");
    EXPECT_EQ(grub_default("", {}).error().what, "GRUB's menu has no entry");
    EXPECT_EQ(grub_default("menuentry a { linux }", {}).error().code, ExitCode::refused);
    for (const char* wrong : {"set a='b", "\nmenuentry a {\n", "menuentry \"a"}) {
        const auto entry = grub_default(wrong, {});
        ASSERT_FALSE(entry) << wrong;
        EXPECT_EQ(entry.error().what.substr(0, 5), "line ") << wrong;
    }
    std::string deep;
    for (int i = 0; i < 100; i++) {
        deep += "submenu a { ";
    }
    EXPECT_NE(grub_default(deep, {}).error().what.find("too deep"), std::string::npos);
}

TEST(Grub, Words) {
    const auto value = [](std::string_view text) {
        const auto script = parse_grub_script(text);
        std::string out;
        for (const Statement& statement : script.value_or(std::vector<Statement>{})) {
            for (const std::string& word : expanded(statement, {{"a", "1 2"}, {"b", ""}})) {
                out += "<" + word + ">";
            }
            out += ";";
        }
        return out;
    };
    EXPECT_EQ(value("x $a ${a}b '$a' \"$a\\$\" \\$a"), "<x><1><2><1><2b><$a><1 2$><$a>;");
    EXPECT_EQ(value("x '' \"\" $b $none"), "<x><><>;");
    EXPECT_EQ(value("x a#b # c\ny;z\\\nz"), "<x><a#b>;<y>;<zz>;");
    EXPECT_EQ(value("x $ ${ ${a a$"), "<x><$><${><${a><a$>;");
    EXPECT_EQ(value("x \"a\\b\\\"\"'c'd"), "<x><a\\b\"cd>;");
}

TEST(Grub, Conditions) {
    const auto taken = [](const std::string& condition) {
        const auto entry = grub_default("if " + condition +
                                            "; then set default=1; fi\nmenuentry a { linux /no\n}\n"
                                            "menuentry b { linux /yes\n}",
                                        {{"x", "y"}});
        return entry && entry->kernel == "/yes";
    };
    for (const char* yes : {"[ $x = y ]", "[ x$x == xy ]", "[ $x != z ]", "[ \"$x\" ]", "[ -n a ]",
                            "[ -z \"$none\" ]", "[ ! $x = z ]", "test $x = y"}) {
        EXPECT_TRUE(taken(yes)) << yes;
    }
    for (const char* no : {"[ $x = z ]", "[ \"$none\" ]", "[ ]", "[ -n \"\" ]", "[ -s /f ]", "true",
                           "[ $x = y ] && [ $x = y ]", "[ ! $x ]"}) {
        EXPECT_FALSE(taken(no)) << no;
    }
}

TEST(Grub, Environment) {
    EXPECT_EQ(parse_grubenv("# GRUB Environment Block\nsaved_entry=a>b\\\\c\nnext_entry=\n=x\n###"),
              (Variables{{"saved_entry", "a>b\\c"}, {"next_entry", ""}}));
}

LoaderFile loader_file(const std::string& name, const std::string& version,
                       const std::string& more = "") {
    return {name,
            "title Debian\nsort-key debian\nversion " + version + "\nlinux /debian/" + version +
                "/linux\ninitrd /debian/" + version +
                "/initrd.img\noptions root=UUID=1234 ro\noptions  quiet\n" + more,
            "/boot/efi"};
}

TEST(Loader, TheNewestOfTheFirst) {
    const auto entry = loader_default(
        {loader_file("a-6.1.conf", "6.1.9"), loader_file("a-6.1b.conf", "6.1.10")}, {});
    ASSERT_TRUE(entry);
    EXPECT_EQ(entry->title, "Debian");
    EXPECT_EQ(entry->kernel, "/boot/efi/debian/6.1.10/linux");
    EXPECT_EQ(entry->initrds, (std::vector<std::string>{"/boot/efi/debian/6.1.10/initrd.img"}));
    EXPECT_EQ(entry->cmdline, "root=UUID=1234 ro quiet");
    // What has failed at each of its boots comes last.
    const auto good = loader_default(
        {loader_file("a-6.1+2-1.conf", "6.1"), loader_file("a-6.12+0-3.conf", "6.12")}, {});
    EXPECT_EQ(good->kernel, "/boot/efi/debian/6.1/linux");
}

TEST(Loader, WhatWasChosen) {
    const std::vector<LoaderFile> files{loader_file("a-6.1+3.conf", "6.1"),
                                        loader_file("a-6.12.conf", "6.12"),
                                        {"uki.conf", "efi /a.efi\n", "/efi"},
                                        {"note.conf", "# linux /x\n", "/efi"}};
    const auto kernel = [&files](const LoaderChoice& choice) {
        const auto entry = loader_default(files, choice);
        return entry ? entry->kernel : entry.error().what;
    };
    const std::string old = "/boot/efi/debian/6.1/linux";
    const std::string fresh = "/boot/efi/debian/6.12/linux";
    EXPECT_EQ(kernel({"", "", "", "timeout 3\ndefault A-6.1.*\n"}), old);
    EXPECT_EQ(kernel({"", "", "", "default @saved\n"}), fresh);
    EXPECT_EQ(kernel({"", "", "a-6.1.conf", "default @saved\n"}), old);
    EXPECT_EQ(kernel({"", "a-6.1.conf", "", "default a-6.12.conf\n"}), old);
    EXPECT_EQ(kernel({"a-6.12.conf", "a-6.1.conf", "", ""}), fresh);
    EXPECT_EQ(kernel({"", "gone.conf", "", ""}), fresh);
    EXPECT_NE(kernel({"uki.conf", "", "", ""}).find("uki.conf is a program"), std::string::npos);
    EXPECT_FALSE(loader_default({}, {}));
}

TEST(Loader, VariablesOfTheFirmware) {
    EXPECT_EQ(parse_efi_text(as_bytes(std::string_view("\7\0\0\0a\0b\0\0\0c\0", 12))), "ab");
    EXPECT_EQ(parse_efi_text(as_bytes(std::string_view("\7\0\0\0a\1\x80\0b", 9))), "??");
    EXPECT_EQ(parse_efi_text({}), "");
}

TEST(LoadConf, Reads) {
    const auto conf = parse_load_conf(
        "# a comment\n\n KERNEL=/vmlinuz \nINITRD='/a /b'\nCMDLINE=\"root=/dev/vda1 a='b c'\"\n"
        "ON_REFUSED=boot\n");
    ASSERT_TRUE(conf) << conf.error().what;
    EXPECT_EQ(conf->kernel, "/vmlinuz");
    EXPECT_EQ(conf->initrds, (std::vector<std::string>{"/a", "/b"}));
    EXPECT_EQ(conf->cmdline, "root=/dev/vda1 a='b c'");
    EXPECT_TRUE(conf->boot_if_refused);
    EXPECT_FALSE(parse_load_conf("")->cmdline);
    EXPECT_EQ(parse_load_conf("CMDLINE=")->cmdline, "");
}

TEST(LoadConf, SaysWhatIsWrong) {
    for (const char* wrong : {"kernel=/a", "KERNEL=a", "KERNEL=", "KERNEL", "KERNEL=/a\nINITRD=b",
                              "INITRD=/a", "ON_REFUSED=perhaps", "KERNEL='/a", "CMDLINE=\""}) {
        const auto conf = parse_load_conf(wrong);
        ASSERT_FALSE(conf) << wrong;
        EXPECT_EQ(conf.error().code, ExitCode::refused);
        EXPECT_EQ(conf.error().what.find("/etc/kho-bridge/load.conf"), 0) << conf.error().what;
        EXPECT_EQ(conf.error().hint, "see kho-bridge(5)");
    }
}

class NextBoot : public ::testing::Test {
  protected:
    /// The kernel, or why there is none.
    std::string kernel() const {
        const auto next = next_boot(machine.system);
        if (!next) {
            return next.error().what;
        }
        return next->kernel.lexically_relative(machine.dir.path()).string();
    }

    void boots_systemd_boot() const {
        machine.dir.write(
            "sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f",
            as_bytes(std::string_view("\6\0\0\0s\0y\0s\0t\0e\0m\0d\0-\0b\0o\0o\0t\0", 28)));
    }

    test::Machine machine;
};

TEST_F(NextBoot, NoBootLoader) {
    EXPECT_EQ(kernel().find("it cannot be told which kernel would boot next"), 0) << kernel();
}

TEST_F(NextBoot, OfGrub) {
    machine.dir.write("boot/grub/grub.cfg", grub_cfg);
    EXPECT_EQ(kernel().find("GRUB's default entry boots /boot/vmlinuz-6.12, which is neither"), 0);
    for (const char* file : {"vmlinuz-6.12", "early.img", "initrd.img-6.12", "vmlinuz-6.1"}) {
        machine.dir.write(std::string("boot/") + file, "x");
    }
    EXPECT_EQ(kernel(), "boot/vmlinuz-6.12");
    EXPECT_EQ(next_boot(machine.system)->initrds.size(), 2);
    EXPECT_EQ(next_boot(machine.system)->from, "/boot/grub/grub.cfg");
    machine.dir.write("boot/grub/grubenv", "saved_entry=1>1\n");
    EXPECT_NE(kernel().find("initrd.img-6.1"), std::string::npos);
    machine.dir.write("boot/initrd.img-6.1", "x");
    EXPECT_EQ(kernel(), "boot/vmlinuz-6.1");
    machine.dir.write("boot/grub/grub.cfg", "menuentry 'a {\n");
    EXPECT_EQ(kernel(), "/boot/grub/grub.cfg: line 2: a quote is not closed");
}

TEST_F(NextBoot, OfGrubOnAFileSystemOfItsOwn) {
    machine.dir.write("boot/vmlinuz", "x");
    for (const char* path : {"/vmlinuz", "/@rootfs/boot/vmlinuz"}) {
        machine.dir.write("boot/grub/grub.cfg",
                          std::string("menuentry a { linux ") + path + " ro\n}\n");
        EXPECT_EQ(kernel(), "boot/vmlinuz") << path;
    }
}

TEST_F(NextBoot, OfSystemdBoot) {
    const LoaderFile file = loader_file("a.conf", "6.12");
    machine.dir.write("boot/efi/loader/entries/a.conf", file.text);
    machine.dir.write("boot/efi/loader/entries/a.txt", file.text);
    EXPECT_EQ(kernel(), "boot/efi/debian/6.12/linux");
    // Of both the one that has booted this kernel.
    machine.dir.write("boot/vmlinuz", "x");
    machine.dir.write("boot/grub/grub.cfg", "menuentry a { linux /vmlinuz ro\n}\n");
    EXPECT_EQ(kernel(), "boot/vmlinuz");
    boots_systemd_boot();
    EXPECT_EQ(kernel(), "boot/efi/debian/6.12/linux");
}

TEST_F(NextBoot, OfTheConfiguration) {
    machine.dir.write("boot/vmlinuz", "x");
    machine.dir.write("boot/grub/grub.cfg", "menuentry a { linux /vmlinuz ro\n}\n");
    machine.dir.write("etc/kho-bridge/load.conf", "CMDLINE=a b\nON_REFUSED=boot\n");
    EXPECT_EQ(next_boot(machine.system)->cmdline, "a b");
    EXPECT_TRUE(next_boot(machine.system)->boot_if_refused);
    machine.dir.write("proc/cmdline", "BOOT_IMAGE=/old root=/dev/vda1\n");
    machine.dir.write("etc/kho-bridge/load.conf", "KERNEL=/srv/kernel\nINITRD=/srv/a /srv/b\n");
    EXPECT_EQ(kernel(), "srv/kernel");
    EXPECT_EQ(next_boot(machine.system)->cmdline, "root=/dev/vda1");
    EXPECT_EQ(next_boot(machine.system)->initrds.size(), 2);
    EXPECT_FALSE(next_boot(machine.system)->boot_if_refused);
    machine.dir.write("etc/kho-bridge/load.conf", "KERNEL\n");
    EXPECT_EQ(kernel(), "/etc/kho-bridge/load.conf line 1: it is no NAME=VALUE");
}

TEST(JoinedInitrds, EachAtAMultipleOfFour) {
    const test::TempDir dir;
    for (const auto& [name, text] : {std::pair{"a", "12345"}, {"b", "1234"}, {"c", "1"}}) {
        dir.write(name, text);
    }
    EXPECT_EQ(JoinedInitrds::open({})->path(), "");
    EXPECT_EQ(JoinedInitrds::open({"/gone"})->path(), "/gone") << "whoever reads it says so";
    const auto joined = JoinedInitrds::open({dir.path() / "a", dir.path() / "b", dir.path() / "c"});
    ASSERT_TRUE(joined) << joined.error().what;
    const std::string zeroes(3, '\0');
    EXPECT_EQ(read_text(joined->path()), "12345" + zeroes + "1234" + "1" + zeroes);
    const auto gone = JoinedInitrds::open({dir.path() / "a", dir.path() / "gone"});
    ASSERT_FALSE(gone);
    EXPECT_EQ(gone.error().what.find("cannot read the initrd: "), 0);
}

}  // namespace
}  // namespace khob::boot
