// What networks and sessions share in answering: reading the arguments, and the answers themselves, on the calling
// thread or on one of the executor's.
#pragma once

#include <napi.h>

#include <cstdint>
#include <vector>

#include "backend/backend.h"
#include "base/ref.h"
#include "base/span.h"
#include "binding/csr_matrix.h"
#include "binding/job.h"

namespace setnet::binding {

// What a prediction is to answer, as lib/native.ts numbers it. Default: probabilities where there is a loss that
// makes them, else logits.
enum class Answer : int { Default, Logits, Probabilities, Classes };
constexpr int kAnswerCount = 4;

// What the arguments of a prediction must fit.
struct AnswerShape {
  uint64_t inputs = 0;
  uint64_t units = 0;
  int loss = -1;  // rules::Loss it was fitted with; -1: never
};

AnswerShape answerShapeOf(const core::Model& model);

// Memory for the outputs that classes are chosen from; kept by whoever predicts again and again.
using Scratch = std::vector<float>;

// (x, answer, out) of a synchronous prediction, checked. The arrays are borrowed: no JavaScript may run while they are
// used.
class SyncPrediction {
 public:
  SyncPrediction(const Napi::CallbackInfo& info, const AnswerShape& shape);
  // On this thread. Nothing is allocated once `scratch`, which only classes need, is large enough.
  Status run(const backend::Predictor& predictor, Scratch* scratch) const;

 private:
  Ref<const CsrMatrix> matrix_;  // that x_ is of, or null
  backend::MatrixView x_;
  AnswerShape shape_;
  Answer answer_ = Answer::Default;
  Span<float> out_;
  Span<int32_t> classes_;
};

// (x, answer) of an asynchronous one: an executor thread answers from a copy of x (a CsrMatrix never changes) with a
// typed array of its own.
class PredictJob : public Job {
 public:
  PredictJob(const Napi::CallbackInfo& info, const AnswerShape& shape);

 protected:
  // On the executor's thread: what answers.
  virtual Status predictorFor(Ref<backend::Predictor>* out) = 0;
  Napi::Value answer(Napi::Env env, AddonData& addon) override;

 private:
  Status run() override;

  std::vector<char> copy_;
  Ref<const CsrMatrix> matrix_;
  backend::MatrixView x_;  // of copy_, or of matrix_
  AnswerShape shape_;
  Answer answer_ = Answer::Default;
  std::vector<float> results_;
  std::vector<int32_t> classes_;
};

}  // namespace setnet::binding
