// What a function of the engine returns: nothing in native code throws on purpose, aborts or prints.
#pragma once

#include <string>
#include <utility>

namespace setnet {

// The stable error codes. The binding turns each into `ERR_SETNET_<NAME>`; the table is the only list.
#define SETNET_CODES(X)                                                                   \
  X(Option, OPTION)       /* an option is unknown, out of range or contradicts another */ \
  X(Type, TYPE)           /* an argument has the wrong JavaScript type */                 \
  X(Shape, SHAPE)         /* lengths or dimensions do not fit together */                 \
  X(Data, DATA)           /* labels out of range, empty data, too few batches */          \
  X(Nonfinite, NONFINITE) /* NaN or infinity where a finite number is needed */           \
  X(Buffer, BUFFER)       /* memory that cannot be used: detached, resizable */           \
  X(Format, FORMAT)       /* a file that is not what it claims to be */                   \
  X(Io, IO)               /* the operating system refused a file operation */             \
  X(State, STATE)         /* the object cannot do this in its present state */            \
  X(Busy, BUSY)           /* the object is training */                                    \
  X(Resume, RESUME)       /* options or data are not those of the checkpoint */           \
  X(Diverged, DIVERGED)   /* training left the finite numbers */                          \
  X(Memory, MEMORY)       /* memory could not be had */                                   \
  X(Device, DEVICE)       /* the device asked for is not there */                         \
  X(Aborted, ABORTED)     /* stopped by the caller's signal */                            \
  X(Internal, INTERNAL)   /* an invariant of the engine does not hold: a bug of ours */

enum class Code {
  Ok,
#define SETNET_CODE_ENUM(name, text) name,
  SETNET_CODES(SETNET_CODE_ENUM)
#undef SETNET_CODE_ENUM
};

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Code code, std::string message) : code_(code), message_(std::move(message)) {}

  bool ok() const { return code_ == Code::Ok; }
  Code code() const { return code_; }
  const std::string& message() const { return message_; }

 private:
  Code code_ = Code::Ok;
  std::string message_;
};

// The name behind `ERR_SETNET_`, "" for Ok.
inline const char* codeName(Code code) {
  switch (code) {
    case Code::Ok:
      return "";
#define SETNET_CODE_NAME(name, text) \
  case Code::name:                   \
    return #text;
      SETNET_CODES(SETNET_CODE_NAME)
#undef SETNET_CODE_NAME
  }
  return "";
}

}  // namespace setnet

// Hands a failure up to the caller.
#define SETNET_TRY(expression)               \
  do {                                       \
    ::setnet::Status status_ = (expression); \
    if (!status_.ok()) return status_;       \
  } while (0)
