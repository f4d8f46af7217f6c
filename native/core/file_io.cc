#include "core/file_io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <vector>

namespace setnet::core {
namespace {

// One call moves at most this much: macOS refuses more than INT_MAX bytes, Linux shortens.
constexpr uint64_t kLargestTransfer = uint64_t{1} << 30;
// As many links in a row as Linux itself follows.
constexpr int kMostLinks = 40;
constexpr int kMostNames = 100;

struct FileInfo {
  mode_t mode = 0;
  uint64_t size = 0;
};

// Of a path (a link itself where `follow` is false), or of an open file where path is "". 0 or an error number.
// Linux: statx, because glibc gives stat and its kin the symbol version GLIBC_2.33, which older systems lack.
int fileInfo(int descriptor, const char* path, bool follow, FileInfo* out) {
#if defined(__linux__)
  struct statx info;
  const int flags = (follow ? 0 : AT_SYMLINK_NOFOLLOW) | (*path ? 0 : AT_EMPTY_PATH);
  if (::statx(*path ? AT_FDCWD : descriptor, path, flags, STATX_TYPE | STATX_MODE | STATX_SIZE, &info) != 0)
    return errno;
  out->mode = info.stx_mode;
  out->size = info.stx_size;
#else
  struct stat info;
  const int result = !*path ? ::fstat(descriptor, &info) : follow ? ::stat(path, &info) : ::lstat(path, &info);
  if (result != 0) return errno;
  out->mode = info.st_mode;
  out->size = static_cast<uint64_t>(info.st_size);
#endif
  return 0;
}

struct ErrorText {
  int error;
  const char* name;
  const char* text;
};

constexpr ErrorText kErrorTexts[] = {
    {EACCES, "EACCES", "permission denied"},
    {EBUSY, "EBUSY", "the file or device is busy"},
    {EDQUOT, "EDQUOT", "the disk quota is used up"},
    {EEXIST, "EEXIST", "the file exists already"},
    {EFBIG, "EFBIG", "the file would be larger than the system allows"},
    {EINVAL, "EINVAL", "the file system does not support this"},
    {EIO, "EIO", "input/output error of the device"},
    {EISDIR, "EISDIR", "it is a folder"},
    {ELOOP, "ELOOP", "too many symbolic links"},
    {EMFILE, "EMFILE", "this process has too many files open"},
    {ENAMETOOLONG, "ENAMETOOLONG", "the name is too long"},
    {ENFILE, "ENFILE", "the system has too many files open"},
    {ENODEV, "ENODEV", "no such device"},
    {ENOENT, "ENOENT", "no such file or folder"},
    {ENOMEM, "ENOMEM", "the system is out of memory"},
    {ENOSPC, "ENOSPC", "no space left on the device"},
    {ENOTDIR, "ENOTDIR", "a part of the path is not a folder"},
    {ENOTSUP, "ENOTSUP", "the file system does not support this"},
    {ENXIO, "ENXIO", "no such device or address"},
    {EPERM, "EPERM", "operation not permitted"},
    {EROFS, "EROFS", "the file system is read-only"},
    {ESTALE, "ESTALE", "the network file system lost the file"},
    {ETXTBSY, "ETXTBSY", "it is a program that is running"},
};

std::string quoted(const std::string& path) { return "'" + path + "'"; }

Status ioError(const std::string& path, const char* doing, int error) {
  return Status(Code::Io, std::string("cannot ") + doing + " " + quoted(path) + ": " + systemErrorText(error));
}

// Repeats a call that a signal interrupted.
template <class Call>
auto uninterrupted(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

const char* kindOf(mode_t mode) {
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISFIFO(mode)) return "a pipe";
  if (S_ISSOCK(mode)) return "a socket";
  if (S_ISCHR(mode) || S_ISBLK(mode)) return "a device";
  return "no regular file";
}

Status expectRegular(const std::string& path, const char* doing, mode_t mode) {
  if (S_ISREG(mode)) return Status();
  return Status(Code::Io, std::string("cannot ") + doing + " " + quoted(path) + ": it is " + kindOf(mode) +
                              ", and a regular file is expected");
}

// A path goes to the system as a C string, which ends at the first zero byte.
Status checkPath(const std::string& path) {
  if (path.empty()) return Status(Code::Io, "the path of a file is empty");
  if (path.find('\0') != std::string::npos)
    return Status(Code::Io, "a path must not contain a zero byte: " + quoted(path.c_str()) + " is followed by one");
  return Status();
}

// Everything up to the last slash, which stays; "" where there is none.
std::string folderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash + 1);
}

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return value_; }
  // Some file systems report a failed write only here. After EINTR the descriptor is closed all the same.
  bool close() {
    const int result = ::close(value_);
    value_ = -1;
    return result == 0 || errno == EINTR;
  }

 private:
  int value_;
};

// What a write replaces.
struct Target {
  std::string path;
  bool exists = false;
  mode_t mode = 0;
};

Status readLink(const std::string& path, std::string* out) {
  std::vector<char> buffer(PATH_MAX + 1);
  const ssize_t length = ::readlink(path.c_str(), buffer.data(), buffer.size());
  if (length < 0) return ioError(path, "read the symbolic link", errno);
  if (static_cast<size_t>(length) == buffer.size()) return ioError(path, "read the symbolic link", ENAMETOOLONG);
  out->assign(buffer.data(), static_cast<size_t>(length));
  return Status();
}

// Follows the links of the last part of the path; the system follows those of the folders before it. Step by step,
// since realpath refuses a link whose target does not exist yet.
Status resolveTarget(const std::string& path, Target* out) {
  out->path = path;
  for (int links = 0; links <= kMostLinks; ++links) {
    if (out->path.back() == '/')
      return Status(Code::Io, "cannot write " + quoted(path) + ": the path names a folder (it ends in '/')");
    FileInfo info;
    if (const int error = fileInfo(-1, out->path.c_str(), false, &info)) {
      if (error == ENOENT) return Status();  // a new file, or a folder that is missing: opening the folder will tell
      return ioError(path, "write", error);
    }
    if (!S_ISLNK(info.mode)) {
      SETNET_TRY(expectRegular(path, "write", info.mode));
      out->exists = true;
      out->mode = info.mode & 0777;
      return Status();
    }
    std::string link;
    SETNET_TRY(readLink(out->path, &link));
    if (link.empty()) return ioError(path, "write", ENOENT);
    // A relative link starts at the folder that holds it.
    out->path = link.front() == '/' ? link : folderOf(out->path) + link;
  }
  return ioError(path, "write", ELOOP);
}

// Replacing a file by rename asks for rights on its folder only. Somebody who made a file read-only expects more.
Status expectWritable(const std::string& path, const Target& target) {
  if (!target.exists) return Status();
  const Descriptor file(uninterrupted(
      [&] { return ::open(target.path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | O_NOFOLLOW); }));
  return file.get() < 0 ? ioError(path, "write", errno) : Status();
}

// Unique in this process by the counter, between processes by number and time, and O_EXCL settles what remains.
std::string temporaryName() {
  static std::atomic<uint32_t> counter{0};
  struct timespec now;
  ::clock_gettime(CLOCK_REALTIME, &now);
  char name[96];
  ::snprintf(name, sizeof name, ".setnet-%lx-%x-%lx%08lx.tmp", static_cast<unsigned long>(::getpid()),
             static_cast<unsigned>(counter.fetch_add(1, std::memory_order_relaxed)),
             static_cast<unsigned long>(now.tv_sec), static_cast<unsigned long>(now.tv_nsec));
  return name;
}

int syncFile(int descriptor) {
#if defined(F_FULLFSYNC)
  // macOS: fsync leaves the data in the cache of the drive.
  if (uninterrupted([&] { return ::fcntl(descriptor, F_FULLFSYNC); }) >= 0) return 0;
#endif
  return uninterrupted([&] { return ::fsync(descriptor); });
}

Status writeAll(const std::string& path, int descriptor, Span<const uint8_t> bytes) {
  const uint8_t* next = bytes.data();
  uint64_t left = bytes.size();
  while (left > 0) {
    const ssize_t written = uninterrupted([&] { return ::write(descriptor, next, std::min(left, kLargestTransfer)); });
    if (written < 0) return ioError(path, "write", errno);
    if (written == 0) return ioError(path, "write", EIO);  // no progress and no reason: not to be tried for ever
    next += written;
    left -= static_cast<uint64_t>(written);
  }
  return Status();
}

// The temporary file beside the target; removed unless it was renamed.
class TemporaryFile {
 public:
  TemporaryFile(const std::string& path, int folder) : path_(path), folder_(folder) {}
  ~TemporaryFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (!name_.empty()) ::unlinkat(folder_, name_.c_str(), 0);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  Status create(const Target& target) {
    // What replaces a private file must not be readable for an instant either.
    const mode_t mode = target.exists ? 0600 : 0666;
    for (int attempt = 0; attempt < kMostNames; ++attempt) {
      const std::string name = temporaryName();
      descriptor_ = uninterrupted(
          [&] { return ::openat(folder_, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode); });
      if (descriptor_ >= 0) {
        name_ = name;
        break;
      }
      if (errno != EEXIST) return ioError(path_, "create a temporary file beside", errno);
    }
    if (descriptor_ < 0) return ioError(path_, "create a temporary file beside", EEXIST);
    if (target.exists && ::fchmod(descriptor_, target.mode) != 0)
      return ioError(path_, "keep the permissions of", errno);
    return Status();
  }

  Status write(Span<const Span<const uint8_t>> parts) {
    for (const Span<const uint8_t>& part : parts) SETNET_TRY(writeAll(path_, descriptor_, part));
    if (syncFile(descriptor_) != 0) return ioError(path_, "bring to the disk", errno);
    Descriptor file(descriptor_);
    descriptor_ = -1;
    return file.close() ? Status() : ioError(path_, "write", errno);
  }

  Status renameTo(const std::string& name) {
    if (::renameat(folder_, name_.c_str(), folder_, name.c_str()) != 0) return ioError(path_, "replace", errno);
    name_.clear();
    return Status();
  }

 private:
  const std::string& path_;
  int folder_;
  int descriptor_ = -1;
  std::string name_;
};

}  // namespace

std::string systemErrorText(int error) {
  for (const ErrorText& entry : kErrorTexts)
    if (entry.error == error) return std::string(entry.text) + " (" + entry.name + ")";
  return "error number " + std::to_string(error);
}

InputFile::~InputFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Status InputFile::failure(int error, const char* doing) const { return ioError(path_, doing, error); }

Status InputFile::open(const std::string& path) {
  SETNET_TRY(checkPath(path));
  path_ = path;
  // Looked at before it is opened, since opening a device may already do something, and again afterwards, since it may
  // have been exchanged in between; O_NONBLOCK then keeps a pipe from waiting for its writer.
  FileInfo info;
  if (const int error = fileInfo(-1, path.c_str(), true, &info)) return failure(error, "read");
  SETNET_TRY(expectRegular(path, "read", info.mode));
  descriptor_ = uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC); });
  if (descriptor_ < 0) return failure(errno, "read");
  if (const int error = fileInfo(descriptor_, "", true, &info)) return failure(error, "read");
  SETNET_TRY(expectRegular(path, "read", info.mode));
  size_ = info.size;
  return Status();
}

Status InputFile::read(void* out, uint64_t count) {
  uint8_t* next = static_cast<uint8_t*>(out);
  while (count > 0) {
    const ssize_t got = uninterrupted([&] { return ::read(descriptor_, next, std::min(count, kLargestTransfer)); });
    if (got < 0) return failure(errno, "read");
    if (got == 0)
      return Status(Code::Io, "cannot read " + quoted(path_) + ": it became shorter than its " + std::to_string(size_) +
                                  " bytes while it was read");
    next += got;
    count -= static_cast<uint64_t>(got);
  }
  return Status();
}

Status InputFile::expectEnd() {
  uint8_t byte;
  const ssize_t got = uninterrupted([&] { return ::read(descriptor_, &byte, 1); });
  if (got < 0) return failure(errno, "read");
  if (got > 0)
    return Status(Code::Io, "cannot read " + quoted(path_) + ": it became longer than its " + std::to_string(size_) +
                                " bytes while it was read");
  return Status();
}

Status writeFileAtomically(const std::string& path, Span<const Span<const uint8_t>> parts) {
  SETNET_TRY(checkPath(path));
  Target target;
  SETNET_TRY(resolveTarget(path, &target));
  SETNET_TRY(expectWritable(path, target));
  // The folder stays open: what happens to its own name meanwhile cannot separate the temporary file from its target,
  // and a folder that cannot be synced is refused before anything is written.
  const std::string folderPath = folderOf(target.path);
  const std::string name = target.path.substr(folderPath.size());
  const Descriptor folder(uninterrupted(
      [&] { return ::open(folderPath.empty() ? "." : folderPath.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
  if (folder.get() < 0) return ioError(path, "open the folder of", errno);
  {
    TemporaryFile temporary(path, folder.get());
    SETNET_TRY(temporary.create(target));
    SETNET_TRY(temporary.write(parts));
    SETNET_TRY(temporary.renameTo(name));
  }
  // Some file systems (network, FUSE) know no sync of a folder and order its entries themselves: EINVAL, ENOTSUP.
  if (syncFile(folder.get()) != 0 && errno != EINVAL && errno != ENOTSUP)
    return ioError(path, "bring to the disk the folder of the already replaced", errno);
  return Status();
}

}  // namespace setnet::core
