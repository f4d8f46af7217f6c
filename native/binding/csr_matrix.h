// NativeCsrMatrix: an immutable canonical CSR matrix that owns its arrays; every accessor returns a copy. It multiplies
// as a linear layer without bias would, through a predictor that is made at the first product and kept.
#pragma once

#include <napi.h>

#include <utility>

#include "backend/backend.h"
#include "base/ref.h"
#include "binding/addon_data.h"
#include "binding/monitor.h"
#include "core/csr.h"

namespace setnet::binding {

struct AnswerShape;

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
  // NativeModule.createCsrMatrixFromDense, createCsrMatrixFromCoordinates
  static Napi::Value createFromDense(const Napi::CallbackInfo& info);
  static Napi::Value createFromCoordinates(const Napi::CallbackInfo& info);

  void onFinalise(Napi::Env env);
  const core::CsrMatrix& matrix() const { return matrix_; }

  enum Direction : int { Forward, Transposed };
  // What computes y = A x or y = A^T x; any thread. The matrix has cells. Made once, for as many threads as the first
  // caller says.
  Status productOf(Direction direction, int threads, Ref<backend::Predictor>* out);
  // Tells V8 how much memory there is now; nothing once the JavaScript object is gone.
  void account(Napi::Env env);

 private:
  explicit CsrMatrix(core::CsrMatrix matrix) : matrix_(std::move(matrix)) {}
  int64_t bytes() const;
  // Code::Shape where there are no cells: lib/ answers then.
  AnswerShape requireCells(Napi::Env env, Direction direction) const;

  static Napi::Value rows(CsrMatrix& self, const Napi::CallbackInfo& info);
  static Napi::Value columns(CsrMatrix& self, const Napi::CallbackInfo& info);
  static Napi::Value count(CsrMatrix& self, const Napi::CallbackInfo& info);
  static Napi::Value rowPointers(CsrMatrix& self, const Napi::CallbackInfo& info);
  static Napi::Value columnIndices(CsrMatrix& self, const Napi::CallbackInfo& info);
  static Napi::Value values(CsrMatrix& self, const Napi::CallbackInfo& info);
  static Napi::Value toDense(CsrMatrix& self, const Napi::CallbackInfo& info);
  static Napi::Value rowCounts(CsrMatrix& self, const Napi::CallbackInfo& info);
  static Napi::Value columnCounts(CsrMatrix& self, const Napi::CallbackInfo& info);

  static Napi::Value row(CsrMatrix& self, const Napi::CallbackInfo& info);
  static Napi::Value transpose(CsrMatrix& self, const Napi::CallbackInfo& info);
  template <Direction direction>
  static Napi::Value multiply(CsrMatrix& self, const Napi::CallbackInfo& info);
  template <Direction direction>
  static Napi::Value multiplySync(CsrMatrix& self, const Napi::CallbackInfo& info);
  static Napi::Value sampledProduct(CsrMatrix& self, const Napi::CallbackInfo& info);
  static Napi::Value sampledProductSync(CsrMatrix& self, const Napi::CallbackInfo& info);

  const core::CsrMatrix matrix_;
  Monitor building_;         // held while a predictor is made, so that two threads do not make the same one
  mutable Monitor monitor_;  // guards what follows; held for a few instructions only
  Ref<backend::Predictor> products_[2];
  // These belong to the JavaScript thread.
  int64_t accounted_ = 0;
  bool finalised_ = false;
};

}  // namespace setnet::binding
