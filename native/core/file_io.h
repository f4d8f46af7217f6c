// Whole files in and out: reading into private memory, writing atomically and durably. The only place of the engine
// that talks to the operating system about files (POSIX; Linux and macOS).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/span.h"
#include "base/status.h"

namespace setnet::core {

// "no such file or folder (ENOENT)". Texts of our own: strerror depends on locale and library and is not safe
// between threads. A number that is not in the table reads "error number N".
std::string systemErrorText(int error);

// A regular file that is read once from front to end. Folders, pipes, sockets and devices are Code::Io: nothing here
// ever waits for a writer. Every message names the path.
class InputFile {
 public:
  InputFile() = default;
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  Status open(const std::string& path);
  // Bytes at the time of opening.
  uint64_t size() const { return size_; }
  // The next `count` bytes. Code::Io where the file ends before (it shrank while it was read).
  Status read(void* out, uint64_t count);
  // Code::Io where the file holds more than size() bytes by now (it grew while it was read).
  Status expectEnd();

 private:
  Status failure(int error, const char* doing) const;

  std::string path_;
  int descriptor_ = -1;
  uint64_t size_ = 0;
};

// Replaces `path` by the concatenation of `parts`, or creates it: a kill or a power cut at any instant leaves the old
// file or the new one, whole. A temporary file with a unique name in the target's folder is written and synced, then
// renamed over the target, then the folder is synced. Symbolic links are followed first, so that a link stays a link
// (one that points to nothing gets its target created). An existing file keeps its permissions, and one that the caller
// may not write is refused; a new file gets those of the umask. On failure the temporary file is removed. A kill may
// leave one behind; its name begins with ".setnet-".
Status writeFileAtomically(const std::string& path, Span<const Span<const uint8_t>> parts);

}  // namespace setnet::core
