// Files in and out: what is refused without waiting, what a symbolic link keeps, what is left when something fails or
// the process is killed.
#include "core/file_io.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "base/hash.h"
#include "test/check.h"
#include "test/temporary_folder.h"

namespace {

using namespace setnet;
using test::readText;
using test::TemporaryFolder;
using test::writeText;

Status writeWhole(const std::string& path, const std::string& text) {
  // In two parts, as a header and its data are.
  const Span<const uint8_t> all(reinterpret_cast<const uint8_t*>(text.data()), text.size());
  const std::vector<Span<const uint8_t>> parts{all.part(0, text.size() / 2),
                                               all.part(text.size() / 2, text.size() - text.size() / 2)};
  return core::writeFileAtomically(path, parts);
}

Status readWhole(const std::string& path, std::string* out) {
  core::InputFile file;
  SETNET_TRY(file.open(path));
  out->resize(file.size());
  SETNET_TRY(file.read(out->data(), out->size()));
  return file.expectEnd();
}

void checkIo(const Status& status, const std::string& reason) {
  CHECK(status.code() == Code::Io);
  if (status.message().find(reason) == std::string::npos)
    FAIL("\"" + reason + "\" expected in: " + (status.ok() ? "success" : status.message()));
}

// Runs `work` in a child, without the rights of root where the test has them; its result is the exit code.
template <class Work>
int inChild(Work work) {
  std::fflush(stdout);
  const pid_t child = ::fork();
  if (child == 0) {
    if (::geteuid() == 0 && ::setuid(65534) != 0) ::_exit(99);
    ::_exit(work());
  }
  int result = 0;
  ::waitpid(child, &result, 0);
  return WIFEXITED(result) ? WEXITSTATUS(result) : -1;
}

// 0 where the message holds the reason, so that a child can tell by its exit code.
int missing(const Status& status, const std::string& reason) {
  return status.code() == Code::Io && status.message().find(reason) != std::string::npos ? 0 : 1;
}

bool isLink(const std::string& path) {
  struct stat info;
  return ::lstat(path.c_str(), &info) == 0 && S_ISLNK(info.st_mode);
}

unsigned modeOf(const std::string& path) {
  struct stat info;
  return ::stat(path.c_str(), &info) == 0 ? info.st_mode & 07777u : 0;
}

TEST("a file is created, replaced and read back, and nothing else is left") {
  const TemporaryFolder folder;
  for (const std::string& text :
       {std::string("first"), std::string(), std::string(3000000, 'x'), std::string("last")}) {
    CHECK_EQ(writeWhole(folder / "a", text).message(), "");
    std::string back;
    CHECK_EQ(readWhole(folder / "a", &back).message(), "");
    CHECK(back == text);
    CHECK_EQ(folder.count(), 1u);
  }
}

TEST("what is no regular file is refused without waiting") {
  const TemporaryFolder folder;
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  REQUIRE(::mkdir((folder / "folder").c_str(), 0700) == 0);
  std::string text;
  checkIo(readWhole(folder / "pipe", &text), "it is a pipe");
  checkIo(writeWhole(folder / "pipe", "x"), "it is a pipe");
  checkIo(readWhole(folder / "folder", &text), "it is a folder");
  checkIo(writeWhole(folder / "folder", "x"), "it is a folder");
  checkIo(writeWhole(folder / "folder/", "x"), "ends in '/'");
  checkIo(writeWhole(folder / "new/", "x"), "ends in '/'");
  for (const char* device : {"/dev/null", "/dev/zero", "/dev/full", "/dev/tty"}) {
    if (::access(device, F_OK) != 0) continue;
    checkIo(readWhole(device, &text), "it is a device");
    checkIo(writeWhole(device, "x"), "it is a device");
  }
  CHECK_EQ(folder.count(), 2u);
}

TEST("errors of the system are named, with the path") {
  const TemporaryFolder folder;
  std::string text;
  writeText(folder / "file", "x");
  checkIo(readWhole(folder / "absent", &text),
          "cannot read '" + folder / "absent" + "': no such file or folder (ENOENT)");
  checkIo(writeWhole(folder / "absent/a", "x"), "(ENOENT)");
  checkIo(readWhole(folder / "file/a", &text), "(ENOTDIR)");
  checkIo(writeWhole(folder / "file/a", "x"), "(ENOTDIR)");
  checkIo(readWhole(folder / std::string(300, 'n'), &text), "(ENAMETOOLONG)");
  checkIo(writeWhole(folder / std::string(300, 'n'), "x"), "(ENAMETOOLONG)");
  // The longest name a folder takes: the temporary file's own must not be longer.
  CHECK(writeWhole(folder / std::string(255, 'n'), "x").ok());
  checkIo(readWhole("", &text), "empty");
  checkIo(writeWhole("", "x"), "empty");
  checkIo(readWhole(std::string("a\0b", 3), &text), "zero byte");
  checkIo(writeWhole(std::string("a\0b", 3), "x"), "zero byte");
  CHECK_EQ(core::systemErrorText(ENOSPC), "no space left on the device (ENOSPC)");
  CHECK_EQ(core::systemErrorText(EACCES), "permission denied (EACCES)");
  CHECK_EQ(core::systemErrorText(99999), "error number 99999");
}

TEST("missing rights are refused: to read, to replace a read-only file, to write into a folder") {
  const TemporaryFolder folder;
  REQUIRE(::chmod(folder.path().c_str(), 0777) == 0);
  writeText(folder / "secret", "x");
  REQUIRE(::chmod((folder / "secret").c_str(), 0000) == 0);
  writeText(folder / "fixed", "old");
  REQUIRE(::chmod((folder / "fixed").c_str(), 0444) == 0);
  REQUIRE(::mkdir((folder / "locked").c_str(), 0555) == 0);
  std::string text;
  CHECK_EQ(inChild([&] { return missing(readWhole(folder / "secret", &text), "(EACCES)"); }), 0);
  CHECK_EQ(inChild([&] { return missing(writeWhole(folder / "fixed", "new"), "(EACCES)"); }), 0);
  CHECK_EQ(inChild([&] { return missing(writeWhole(folder / "locked/a", "new"), "(EACCES)"); }), 0);
  CHECK_EQ(readText(folder / "fixed"), "old");
  CHECK_EQ(folder.count(), 3u);
}

TEST("a write that fails half-way leaves the old file and no temporary one") {
  const TemporaryFolder folder;
  REQUIRE(::chmod(folder.path().c_str(), 0777) == 0);
  writeText(folder / "a", "old");
  REQUIRE(::chmod((folder / "a").c_str(), 0666) == 0);
  const int result = inChild([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    const struct rlimit limit = {100000, 100000};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return 2;
    return missing(writeWhole(folder / "a", std::string(1000000, 'x')), "(EFBIG)");
  });
  CHECK_EQ(result, 0);
  CHECK_EQ(readText(folder / "a"), "old");
  CHECK_EQ(folder.count(), 1u);
}

TEST("symbolic links stay links: direct, in a chain, relative from another folder, and to nothing yet") {
  const TemporaryFolder folder;
  REQUIRE(::mkdir((folder / "one").c_str(), 0700) == 0);
  REQUIRE(::mkdir((folder / "two").c_str(), 0700) == 0);
  const auto link = [&](const std::string& target, const std::string& name) {
    return ::symlink(target.c_str(), (folder / name).c_str()) == 0;
  };
  writeText(folder / "one/real", "old");
  REQUIRE(link("../one/real", "two/relative"));
  REQUIRE(link("two/relative", "chain"));
  REQUIRE(link(folder / "one/real", "two/absolute"));
  REQUIRE(link("../two/later", "one/dangling"));
  REQUIRE(link("two", "folder"));
  REQUIRE(link("round", "loop"));
  REQUIRE(link("loop", "round"));
  int round = 0;
  for (const char* name : {"two/relative", "chain", "two/absolute", "folder/relative"}) {
    const std::string text = "new " + std::to_string(round++);
    CHECK_EQ(writeWhole(folder / name, text).message(), "");
    CHECK(isLink(folder / name));
    CHECK_EQ(readText(folder / "one/real"), text);
  }
  CHECK_EQ(writeWhole(folder / "one/dangling", "created").message(), "");
  CHECK(isLink(folder / "one/dangling"));
  CHECK(!isLink(folder / "two/later"));
  CHECK_EQ(readText(folder / "two/later"), "created");
  checkIo(writeWhole(folder / "loop", "x"), "(ELOOP)");
  // No temporary file anywhere: one has real and dangling, two has relative, absolute and later.
  CHECK_EQ(std::distance(std::filesystem::directory_iterator(folder / "one"), {}), 2);
  CHECK_EQ(std::distance(std::filesystem::directory_iterator(folder / "two"), {}), 3);
}

TEST("a path without a folder means the working folder") {
  const TemporaryFolder folder;
  REQUIRE(::chmod(folder.path().c_str(), 0777) == 0);
  CHECK_EQ(inChild([&] { return ::chdir(folder.path().c_str()) == 0 && writeWhole("plain", "text").ok() ? 0 : 1; }), 0);
  CHECK_EQ(readText(folder / "plain"), "text");
}

TEST("permissions are those of the old file, or of the umask") {
  const TemporaryFolder folder;
  writeText(folder / "old", "x");
  for (const unsigned mode : {0600u, 0640u, 0666u, 0755u}) {
    REQUIRE(::chmod((folder / "old").c_str(), mode) == 0);
    CHECK(writeWhole(folder / "old", "y").ok());
    CHECK_EQ(modeOf(folder / "old"), mode);
  }
  const mode_t before = ::umask(0027);
  CHECK(writeWhole(folder / "new", "x").ok());
  ::umask(before);
  CHECK_EQ(modeOf(folder / "new"), 0640u);
}

TEST("a file that shrinks or grows while it is read is noticed") {
  const TemporaryFolder folder;
  std::string text(100000, 'x');
  writeText(folder / "a", text);
  {
    core::InputFile file;
    REQUIRE(file.open(folder / "a").ok());
    CHECK(file.read(text.data(), 1000).ok());
    REQUIRE(::truncate((folder / "a").c_str(), 5000) == 0);
    checkIo(file.read(text.data(), file.size() - 1000), "it became shorter than its 100000 bytes");
  }
  core::InputFile file;
  REQUIRE(file.open(folder / "a").ok());
  CHECK(file.read(text.data(), file.size()).ok());
  REQUIRE(::truncate((folder / "a").c_str(), 5001) == 0);
  checkIo(file.expectEnd(), "it became longer than its 5000 bytes");
}

TEST("threads that replace one file at the same time leave one of their files, whole") {
  const TemporaryFolder folder;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&folder, i] {
      for (int k = 0; k < 10; ++k) CHECK(writeWhole(folder / "a", std::string(10000, static_cast<char>('0' + i))).ok());
    });
  for (std::thread& thread : threads) thread.join();
  const std::string text = readText(folder / "a");
  REQUIRE(text.size() == 10000);
  CHECK(text == std::string(10000, text[0]));
  CHECK_EQ(folder.count(), 1u);
}

TEST("killed at any instant of a write, a process leaves the old file or the new one") {
  const TemporaryFolder folder;
  const std::string shorter(200000, 'a'), longer(700000, 'b');
  REQUIRE(writeWhole(folder / "a", shorter).ok());
  std::fflush(stdout);
  int replaced = 0;
  for (int round = 0; round < 25; ++round) {
    const std::string before = readText(folder / "a");
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      for (int k = round;; ++k)
        if (!writeWhole(folder / "a", k % 2 ? shorter : longer).ok()) ::_exit(1);
    }
    ::usleep(static_cast<useconds_t>(500 + hash64(&round, sizeof round) % 20000));
    // Once on a disk of any speed: a kill while the new file is there already.
    for (int wait = 0; round == 24 && wait < 10000 && readText(folder / "a") == before; ++wait) ::usleep(1000);
    ::kill(child, SIGKILL);
    int result = 0;
    ::waitpid(child, &result, 0);
    CHECK(WIFSIGNALED(result));
    const std::string after = readText(folder / "a");
    CHECK(after == shorter || after == longer);
    if (after != before) ++replaced;
    // The next write is not disturbed by what a killed one left.
    CHECK(writeWhole(folder / "b", "x").ok());
  }
  CHECK(replaced > 0);
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    const std::string name = entry.path().filename().string();
    CHECK(name == "a" || name == "b" || name.rfind(".setnet-", 0) == 0);
  }
}

}  // namespace

int main(int argc, char** argv) { return setnet::test::run(argc, argv); }
