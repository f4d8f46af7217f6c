// Parsing and checking of what JavaScript passes: one line per argument at the head of a method. Each throws the
// JavaScript error; `what` names the value in its message. Nothing is coerced. Reading a property may run the caller's
// code (getters, proxies): pointers into typed arrays are taken only after the last property has been read.
#pragma once

#include <napi.h>

#include <cstdint>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "base/ref.h"
#include "base/span.h"
#include "binding/csr_matrix.h"
#include "binding/errors.h"
#include "rules/rule.h"

namespace setnet::binding {

constexpr double kLargestWhole = 9007199254740991.0;  // Number.MAX_SAFE_INTEGER

// A whole table.
template <class T, size_t count>
constexpr Span<const T> all(const T (&table)[count]) {
  return Span<const T>(table, count);
}

// The shortest text of a number that is good enough for a message.
std::string textOf(double number);

Napi::Object requireObject(const Napi::Value& value, const std::string& what);
Napi::Function requireFunction(const Napi::Value& value, const std::string& what);
bool requireBoolean(const Napi::Value& value, const std::string& what);
// Any number, NaN included.
double requireNumber(const Napi::Value& value, const std::string& what);
// minimum <= number <= maximum, the number finite.
double requireInRange(const Napi::Value& value, const std::string& what, double minimum, double maximum);
uint64_t requireWhole(const Napi::Value& value, const std::string& what, double minimum, double maximum);
// A BigInt of 64 bits without sign.
uint64_t requireUint64(const Napi::Value& value, const std::string& what);
std::string requireString(const Napi::Value& value, const std::string& what);
// A string that an operating system takes for a path: not empty, no NUL.
std::string requirePath(const Napi::Value& value, const std::string& what);
// The index of the string among `names`.
size_t requireOneOf(const Napi::Value& value, const std::string& what, Span<const char* const> names);
// { name, parameters }: the name stands in the table, parameters are known and within their limits.
rules::RuleChoice requireRule(const Napi::Value& value, const std::string& what, Span<const rules::RuleInfo> table);
// As requireRule, of a name only: the index in the table.
int requireRuleName(const Napi::Value& value, const std::string& what, Span<const rules::RuleInfo> table);

bool isAbsent(const Napi::Value& value);  // undefined

// Features: a typed array of one of the six kinds with exactly rows * columns elements, borrowed, not copied; or a
// CsrMatrix of so many rows and columns, which *matrix keeps (else it is null).
backend::MatrixView requireFeatures(const Napi::Value& value, const std::string& what, uint64_t rows, uint64_t columns,
                                    Ref<const CsrMatrix>* matrix);
// As requireFeatures, of as many whole rows of `columns` elements as there are; none where the buffer is detached.
backend::MatrixView requireRows(const Napi::Value& value, const char* what, uint64_t columns,
                                Ref<const CsrMatrix>* matrix);
// A Float32Array or Int32Array of exactly `length` elements. Borrowed.
Span<float> requireFloats(const Napi::Value& value, const char* what, uint64_t length);
Span<int32_t> requireInts(const Napi::Value& value, const char* what, uint64_t length);

// Copies of typed arrays of one kind and any length.
std::vector<float> copyFloats(const Napi::Value& value, const std::string& what);
std::vector<double> copyDoubles(const Napi::Value& value, const std::string& what);
std::vector<uint32_t> copyUint32s(const Napi::Value& value, const std::string& what);
// Class numbers: an Int32Array of `rows` elements, copied, then checked to lie in [0, classes).
std::vector<int32_t> copyClasses(const Napi::Value& value, const std::string& what, uint64_t rows, uint64_t classes);

// For memory that is used after the call returns: it must not be able to shrink.
void refuseResizable(const Napi::Value& typedArray, const std::string& what);

// Code::Buffer where the memory of `x`, which is called `what`, and of `out` overlap: rows are read after others have
// been written.
template <class T>
void refuseOverlap(Napi::Env env, const backend::MatrixView& x, const char* what, Span<T> out) {
  if (x.isSparse()) return;  // memory of our own
  const char* xBegin = static_cast<const char*>(x.data);
  const char* xEnd = xBegin + x.rows * x.columns * backend::elementSize(x.type);
  const char* outBegin = reinterpret_cast<const char*>(out.data());
  if (xBegin < outBegin + out.size() * sizeof(T) && outBegin < xEnd)
    fail(env, Code::Buffer, std::string("out and ") + what + " overlap in memory");
}

// Code::Shape where the product of two sizes does not fit a JavaScript number.
uint64_t requireProduct(Napi::Env env, uint64_t a, uint64_t b, const char* what);

}  // namespace setnet::binding
