#include "binding/arguments.h"

#include <cmath>
#include <cstdio>
#include <cstring>

#include "binding/errors.h"
#include "binding/wrapped.h"

namespace setnet::binding {

namespace {

const char* typeName(const Napi::Value& value) {
  switch (value.Type()) {
    case napi_undefined:
      return "undefined";
    case napi_null:
      return "null";
    case napi_boolean:
      return "a boolean";
    case napi_number:
      return "a number";
    case napi_string:
      return "a string";
    case napi_symbol:
      return "a symbol";
    case napi_function:
      return "a function";
    case napi_bigint:
      return "a bigint";
    default:
      return value.IsTypedArray() ? "a typed array of another kind" : value.IsArray() ? "an array" : "an object";
  }
}

[[noreturn]] void failType(const Napi::Value& value, const std::string& what, const std::string& expected) {
  fail(value.Env(), Code::Type, what + " must be " + expected + ", got " + typeName(value));
}

struct TypedArrayView {
  void* data = nullptr;
  uint64_t length = 0;
};

// The memory of a typed array of the kind, as it is now.
TypedArrayView viewOf(const Napi::Value& value, const char* what, napi_typedarray_type kind, const char* name) {
  napi_typedarray_type type = static_cast<napi_typedarray_type>(-1);
  size_t length = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(value.Env(), value, &type, &length, &data, nullptr, nullptr) != napi_ok || type != kind)
    failType(value, what, name);
  return {data, length};
}

// A CsrMatrix (not where `matrix` is null), or the memory of a typed array of one of the six kinds, as it is now; then
// rows and columns are the caller's.
backend::MatrixView featuresOf(const Napi::Value& value, const char* what, uint64_t* length,
                               Ref<const CsrMatrix>* matrix) {
  const char* kinds = matrix
                          ? "a Float32Array, Float64Array, Uint8Array, Int8Array, Uint16Array, Int16Array or CsrMatrix"
                          : "a Float32Array, Float64Array, Uint8Array, Int8Array, Uint16Array or Int16Array";
  napi_typedarray_type type = static_cast<napi_typedarray_type>(-1);
  size_t count = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(value.Env(), value, &type, &count, &data, nullptr, nullptr) != napi_ok) {
    const CsrMatrix* found = matrix ? Wrapped<CsrMatrix>::find(value.Env(), value) : nullptr;
    if (!found) failType(value, what, kinds);
    *matrix = Ref<const CsrMatrix>(found);
    return backend::MatrixView::of(found->matrix());
  }
  backend::MatrixView view;
  switch (type) {
    case napi_float32_array:
      view.type = backend::DataType::Float32;
      break;
    case napi_float64_array:
      view.type = backend::DataType::Float64;
      break;
    case napi_uint8_array:
      view.type = backend::DataType::Uint8;
      break;
    case napi_int8_array:
      view.type = backend::DataType::Int8;
      break;
    case napi_uint16_array:
      view.type = backend::DataType::Uint16;
      break;
    case napi_int16_array:
      view.type = backend::DataType::Int16;
      break;
    default:
      failType(value, what, kinds);
  }
  view.data = data;
  *length = count;
  return view;
}

void checkColumns(const Napi::Value& value, const std::string& what, const backend::MatrixView& matrix,
                  uint64_t columns) {
  if (matrix.columns != columns)
    fail(value.Env(), Code::Shape,
         what + " has " + std::to_string(matrix.columns) + " columns, but the network has " + std::to_string(columns) +
             " inputs");
}

// A detached buffer, or one that has shrunk under its view, gives the length 0.
[[noreturn]] void failLength(const Napi::Value& value, const std::string& what, uint64_t length, uint64_t expected) {
  if (length == 0)
    fail(value.Env(), Code::Buffer,
         what + " has no elements where " + std::to_string(expected) +
             " were expected: it is empty, or its buffer has been transferred (detached) or has shrunk");
  fail(value.Env(), Code::Shape,
       what + " must have " + std::to_string(expected) + " elements, got " + std::to_string(length));
}

template <class T>
std::vector<T> copyOf(const TypedArrayView& view) {
  std::vector<T> copy(view.length);
  if (view.length > 0) std::memcpy(copy.data(), view.data, view.length * sizeof(T));
  return copy;
}

std::string namesOf(Span<const rules::RuleInfo> table) {
  std::string names;
  for (const rules::RuleInfo& rule : table) names += (names.empty() ? "" : ", ") + std::string(rule.name);
  return names;
}

std::string namesOf(const rules::RuleInfo& rule) {
  std::string names;
  for (int i = 0; i < rule.parameterCount; ++i)
    names += (names.empty() ? "" : ", ") + std::string(rule.parameters[i].name);
  return names.empty() ? "none" : names;
}

double requireParameter(const Napi::Value& value, const std::string& what, const rules::ParameterSpec& spec) {
  const double number = requireNumber(value, what);
  const bool aboveMinimum = spec.open ? number > spec.minimum : number >= spec.minimum;
  const bool belowMaximum = spec.openMaximum ? number < spec.maximum : number <= spec.maximum;
  if (std::isfinite(number) && aboveMinimum && belowMaximum) return number;
  std::string range = (spec.open ? "more than " : "at least ") + textOf(spec.minimum);
  if (std::isfinite(spec.maximum))
    range += (spec.openMaximum ? " and less than " : " and at most ") + textOf(spec.maximum);
  fail(value.Env(), Code::Option, what + " must be a finite number, " + range + ", got " + textOf(number));
}

}  // namespace

std::string textOf(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.15g", number);
  return text;
}

bool isAbsent(const Napi::Value& value) { return value.IsUndefined(); }

Napi::Object requireObject(const Napi::Value& value, const std::string& what) {
  if (value.Type() != napi_object) failType(value, what, "an object");
  return value.As<Napi::Object>();
}

Napi::Function requireFunction(const Napi::Value& value, const std::string& what) {
  if (!value.IsFunction()) failType(value, what, "a function");
  return value.As<Napi::Function>();
}

bool requireBoolean(const Napi::Value& value, const std::string& what) {
  if (!value.IsBoolean()) failType(value, what, "a boolean");
  return value.As<Napi::Boolean>().Value();
}

double requireNumber(const Napi::Value& value, const std::string& what) {
  if (!value.IsNumber()) failType(value, what, "a number");
  return value.As<Napi::Number>().DoubleValue();
}

double requireInRange(const Napi::Value& value, const std::string& what, double minimum, double maximum) {
  const double number = requireNumber(value, what);
  if (!std::isfinite(number) || number < minimum || number > maximum)
    fail(value.Env(), Code::Option,
         what + " must be a finite number from " + textOf(minimum) + " to " + textOf(maximum) + ", got " +
             textOf(number));
  return number;
}

uint64_t requireWhole(const Napi::Value& value, const std::string& what, double minimum, double maximum) {
  const double number = requireNumber(value, what);
  if (!(number >= minimum && number <= maximum) || number != std::floor(number))
    fail(value.Env(), Code::Option,
         what + " must be a whole number from " + textOf(minimum) + " to " + textOf(maximum) + ", got " +
             textOf(number));
  return static_cast<uint64_t>(number);
}

uint64_t requireUint64(const Napi::Value& value, const std::string& what) {
  if (!value.IsBigInt()) failType(value, what, "a bigint");
  bool lossless = false;
  const uint64_t number = value.As<Napi::BigInt>().Uint64Value(&lossless);
  if (!lossless) fail(value.Env(), Code::Option, what + " must be from 0n to 2n ** 64n - 1n");
  return number;
}

std::string requireString(const Napi::Value& value, const std::string& what) {
  if (!value.IsString()) failType(value, what, "a string");
  return value.As<Napi::String>().Utf8Value();
}

std::string requirePath(const Napi::Value& value, const std::string& what) {
  std::string path = requireString(value, what);
  if (path.empty()) fail(value.Env(), Code::Option, what + " must not be empty");
  if (path.find('\0') != std::string::npos) fail(value.Env(), Code::Option, what + " must not contain a NUL character");
  return path;
}

size_t requireOneOf(const Napi::Value& value, const std::string& what, Span<const char* const> names) {
  if (!value.IsString()) failType(value, what, "a string");
  const std::string text = value.As<Napi::String>().Utf8Value();
  std::string known;
  for (size_t i = 0; i < names.size(); ++i) {
    if (text == names[i]) return i;
    known += (i ? ", " : "") + std::string(names[i]);
  }
  fail(value.Env(), Code::Option, what + " must be one of " + known + ", got '" + text + "'");
}

int requireRuleName(const Napi::Value& value, const std::string& what, Span<const rules::RuleInfo> table) {
  const std::string name = requireString(value, what);
  // A NUL would end the comparison early.
  const int rule = name.find('\0') == std::string::npos ? rules::findRule(table, name.c_str()) : -1;
  if (rule < 0) fail(value.Env(), Code::Option, what + " must be one of " + namesOf(table) + ", got '" + name + "'");
  return rule;
}

rules::RuleChoice requireRule(const Napi::Value& value, const std::string& what, Span<const rules::RuleInfo> table) {
  const Napi::Object object = requireObject(value, what);
  rules::RuleChoice choice = rules::defaultsOf(table, requireRuleName(object.Get("name"), what + ".name", table));
  const rules::RuleInfo& rule = table[choice.rule];
  const Napi::Object parameters = requireObject(object.Get("parameters"), what + ".parameters");
  napi_value keys = nullptr;
  if (napi_get_all_property_names(value.Env(), parameters, napi_key_own_only,
                                  static_cast<napi_key_filter>(napi_key_enumerable | napi_key_skip_symbols),
                                  napi_key_numbers_to_strings, &keys) != napi_ok)
    throw Napi::Error::New(value.Env());
  const Napi::Array names(value.Env(), keys);
  for (uint32_t i = 0; i < names.Length(); ++i) {
    const Napi::Value key = names.Get(i);
    const std::string name = requireString(key, what + "'s parameter name");
    int index = 0;
    while (index < rule.parameterCount && name != rule.parameters[index].name) ++index;
    if (index == rule.parameterCount)
      fail(value.Env(), Code::Option,
           what + ": '" + rule.name + "' has no parameter '" + name + "'; it has: " + namesOf(rule));
    choice.parameters[index] = requireParameter(parameters.Get(key), what + "." + name, rule.parameters[index]);
  }
  return choice;
}

uint64_t requireProduct(Napi::Env env, uint64_t a, uint64_t b, const char* what) {
  if (b != 0 && a > static_cast<uint64_t>(kLargestWhole) / b)
    fail(env, Code::Shape,
         std::string(what) + " would have " + std::to_string(a) + " x " + std::to_string(b) + " elements: too many");
  return a * b;
}

backend::MatrixView requireFeatures(const Napi::Value& value, const std::string& what, uint64_t rows, uint64_t columns,
                                    Ref<const CsrMatrix>* matrix) {
  uint64_t length = 0;
  backend::MatrixView view = featuresOf(value, what.c_str(), &length, matrix);
  if (view.isSparse()) {
    checkColumns(value, what, view, columns);
    if (view.rows != rows)
      fail(value.Env(), Code::Shape,
           what + " has " + std::to_string(view.rows) + " rows, but " + std::to_string(rows) + " were announced");
    return view;
  }
  const uint64_t expected = requireProduct(value.Env(), rows, columns, what.c_str());
  if (length != expected) failLength(value, what, length, expected);
  view.rows = rows;
  view.columns = columns;
  return view;
}

backend::MatrixView requireRows(const Napi::Value& value, const char* what, uint64_t columns,
                                Ref<const CsrMatrix>* matrix) {
  uint64_t length = 0;
  backend::MatrixView view = featuresOf(value, what, &length, matrix);
  if (view.isSparse()) {
    checkColumns(value, what, view, columns);
    return view;
  }
  view.rows = length / columns;
  view.columns = columns;
  if (view.rows * columns != length) failLength(value, what, length, (view.rows + 1) * columns);
  return view;
}

Span<float> requireFloats(const Napi::Value& value, const char* what, uint64_t length) {
  const TypedArrayView view = viewOf(value, what, napi_float32_array, "a Float32Array");
  if (view.length != length) failLength(value, what, view.length, length);
  return {static_cast<float*>(view.data), view.length};
}

Span<int32_t> requireInts(const Napi::Value& value, const char* what, uint64_t length) {
  const TypedArrayView view = viewOf(value, what, napi_int32_array, "an Int32Array");
  if (view.length != length) failLength(value, what, view.length, length);
  return {static_cast<int32_t*>(view.data), view.length};
}

std::vector<float> copyFloats(const Napi::Value& value, const std::string& what) {
  return copyOf<float>(viewOf(value, what.c_str(), napi_float32_array, "a Float32Array"));
}

std::vector<double> copyDoubles(const Napi::Value& value, const std::string& what) {
  return copyOf<double>(viewOf(value, what.c_str(), napi_float64_array, "a Float64Array"));
}

std::vector<uint32_t> copyUint32s(const Napi::Value& value, const std::string& what) {
  return copyOf<uint32_t>(viewOf(value, what.c_str(), napi_uint32_array, "a Uint32Array"));
}

std::vector<int32_t> copyClasses(const Napi::Value& value, const std::string& what, uint64_t rows, uint64_t classes) {
  const TypedArrayView view = viewOf(value, what.c_str(), napi_int32_array, "an Int32Array");
  if (view.length != rows) failLength(value, what, view.length, rows);
  // The copy is what is checked: shared memory may change at any time.
  std::vector<int32_t> copy = copyOf<int32_t>(view);
  for (size_t i = 0; i < copy.size(); ++i)
    if (copy[i] < 0 || static_cast<uint64_t>(copy[i]) >= classes)
      fail(value.Env(), Code::Data,
           what + "[" + std::to_string(i) + "] is " + std::to_string(copy[i]) + ", but classes go from 0 to " +
               std::to_string(classes - 1) + " (the network has " + std::to_string(classes) + " outputs)");
  return copy;
}

void refuseResizable(const Napi::Value& typedArray, const std::string& what) {
  if (!typedArray.IsTypedArray()) return;  // whoever takes the pointer says so
  const Napi::Value buffer = typedArray.As<Napi::Object>().Get("buffer");
  if (!buffer.IsObject()) return;
  const Napi::Value resizable = buffer.As<Napi::Object>().Get("resizable");
  if (resizable.IsBoolean() && resizable.As<Napi::Boolean>().Value())
    fail(typedArray.Env(), Code::Buffer,
         what + "'s ArrayBuffer is resizable: its memory could vanish while it is used");
}

}  // namespace setnet::binding
