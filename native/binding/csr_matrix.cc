#include "binding/csr_matrix.h"

#include <cmath>
#include <string>

#include "base/memory.h"
#include "binding/arguments.h"
#include "binding/convert.h"
#include "binding/errors.h"
#include "binding/external_memory.h"
#include "binding/wrapped.h"

namespace setnet::binding {

namespace {

std::vector<uint64_t> copyRowPointers(const Napi::Value& value) {
  const std::vector<double> numbers = copyDoubles(value, "rowPointers");
  std::vector<uint64_t> pointers(numbers.size());
  for (size_t i = 0; i < numbers.size(); ++i) {
    if (!(numbers[i] >= 0 && numbers[i] <= kLargestWhole) || numbers[i] != std::floor(numbers[i]))
      fail(value.Env(), Code::Shape,
           "rowPointers[" + std::to_string(i) + "] must be a whole number, got " + textOf(numbers[i]));
    pointers[i] = static_cast<uint64_t>(numbers[i]);
  }
  return pointers;
}

}  // namespace

void CsrMatrix::define(Napi::Env env, AddonData& addon) {
  using W = Wrapped<CsrMatrix>;
  W::define(env, addon,
            {W::getter<rows>(addon, "rows"), W::getter<columns>(addon, "columns"), W::getter<count>(addon, "count"),
             W::method<rowPointers>(addon, "rowPointers"), W::method<columnIndices>(addon, "columnIndices"),
             W::method<values>(addon, "values"), W::method<toDense>(addon, "toDense"),
             W::method<rowCounts>(addon, "rowCounts"), W::method<columnCounts>(addon, "columnCounts")});
}

Napi::Object CsrMatrix::make(Napi::Env env, AddonData& addon, core::CsrMatrix matrix) {
  const Ref<CsrMatrix> object(new CsrMatrix(std::move(matrix)));
  const Napi::Object made = Wrapped<CsrMatrix>::make(env, addon, object);
  adjustExternalMemory(env, object->bytes());
  return made;
}

Napi::Value CsrMatrix::create(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Napi::Object data = requireObject(info[0], "the matrix");
  core::CsrMatrix matrix;
  matrix.rows = requireWhole(data.Get("rows"), "rows", 0, kLargestWhole);
  matrix.columns = requireWhole(data.Get("columns"), "columns", 0, static_cast<double>(core::kMaxColumns));
  matrix.rowPointers = copyRowPointers(data.Get("rowPointers"));
  matrix.columnIndices = copyUint32s(data.Get("columnIndices"), "columnIndices");
  matrix.values = copyFloats(data.Get("values"), "values");
  check(env, matrix.validate());
  return make(env, addonOf(info), std::move(matrix));
}

int64_t CsrMatrix::bytes() const {
  return static_cast<int64_t>(matrix_.rowPointers.size() * sizeof(uint64_t) +
                              matrix_.columnIndices.size() * sizeof(uint32_t) + matrix_.values.size() * sizeof(float));
}

void CsrMatrix::onFinalise(Napi::Env env) { adjustExternalMemory(env, -bytes()); }

Napi::Value CsrMatrix::rows(CsrMatrix& self, const Napi::CallbackInfo& info) {
  return countToJs(info.Env(), self.matrix_.rows);
}

Napi::Value CsrMatrix::columns(CsrMatrix& self, const Napi::CallbackInfo& info) {
  return countToJs(info.Env(), self.matrix_.columns);
}

Napi::Value CsrMatrix::count(CsrMatrix& self, const Napi::CallbackInfo& info) {
  return countToJs(info.Env(), self.matrix_.count());
}

Napi::Value CsrMatrix::rowPointers(CsrMatrix& self, const Napi::CallbackInfo& info) {
  return uint64sToJs(info.Env(), addonOf(info), self.matrix_.rowPointers);
}

Napi::Value CsrMatrix::columnIndices(CsrMatrix& self, const Napi::CallbackInfo& info) {
  return uint32sToJs(info.Env(), addonOf(info), self.matrix_.columnIndices);
}

Napi::Value CsrMatrix::values(CsrMatrix& self, const Napi::CallbackInfo& info) {
  return floatsToJs(info.Env(), addonOf(info), self.matrix_.values);
}

Napi::Value CsrMatrix::toDense(CsrMatrix& self, const Napi::CallbackInfo& info) {
  const uint64_t cells = requireProduct(info.Env(), self.matrix_.rows, self.matrix_.columns, "the dense matrix");
  void* data = nullptr;
  const Napi::Value array = newArray(info.Env(), addonOf(info), ArrayId::Float32, cells, &data);
  core::toDense(self.matrix_, {static_cast<float*>(data), cells});
  return array;
}

Napi::Value CsrMatrix::rowCounts(CsrMatrix& self, const Napi::CallbackInfo& info) {
  // Counted in memory of its own, then copied.
  requireMemory(info.Env(), saturatedProduct(self.matrix_.rows, 2 * sizeof(uint32_t)));
  return uint32sToJs(info.Env(), addonOf(info), core::rowCounts(self.matrix_));
}

Napi::Value CsrMatrix::columnCounts(CsrMatrix& self, const Napi::CallbackInfo& info) {
  requireMemory(info.Env(), saturatedProduct(self.matrix_.columns, 2 * sizeof(uint32_t)));
  return uint32sToJs(info.Env(), addonOf(info), core::columnCounts(self.matrix_));
}

}  // namespace setnet::binding
