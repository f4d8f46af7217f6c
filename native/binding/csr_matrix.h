// NativeCsrMatrix: an immutable canonical CSR matrix that owns its arrays; every accessor returns a copy.
#pragma once

#include <napi.h>

#include <utility>

#include "base/ref.h"
#include "binding/addon_data.h"
#include "core/csr.h"

namespace setnet::binding {

class CsrMatrix : public RefCounted {
 public:
  static constexpr ClassId kClass = ClassId::CsrMatrix;
  static constexpr const char* kClassName = "CsrMatrix";
  static constexpr napi_type_tag kTag = {0x5d0c4b9c1f3e4a67ull, 0x9a84e02b6d71f315ull};

  static void define(Napi::Env env, AddonData& addon);
  // `matrix` is valid.
  static Napi::Object make(Napi::Env env, AddonData& addon, core::CsrMatrix matrix);
  // NativeModule.createCsrMatrix
  static Napi::Value create(const Napi::CallbackInfo& info);

  void onFinalise(Napi::Env env);
  const core::CsrMatrix& matrix() const { return matrix_; }

 private:
  explicit CsrMatrix(core::CsrMatrix matrix) : matrix_(std::move(matrix)) {}
  int64_t bytes() const;

  static Napi::Value rows(CsrMatrix& self, const Napi::CallbackInfo& info);
  static Napi::Value columns(CsrMatrix& self, const Napi::CallbackInfo& info);
  static Napi::Value count(CsrMatrix& self, const Napi::CallbackInfo& info);
  static Napi::Value rowPointers(CsrMatrix& self, const Napi::CallbackInfo& info);
  static Napi::Value columnIndices(CsrMatrix& self, const Napi::CallbackInfo& info);
  static Napi::Value values(CsrMatrix& self, const Napi::CallbackInfo& info);
  static Napi::Value toDense(CsrMatrix& self, const Napi::CallbackInfo& info);
  static Napi::Value rowCounts(CsrMatrix& self, const Napi::CallbackInfo& info);
  static Napi::Value columnCounts(CsrMatrix& self, const Napi::CallbackInfo& info);

  const core::CsrMatrix matrix_;
};

}  // namespace setnet::binding
