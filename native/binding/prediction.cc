#include "binding/prediction.h"

#include <algorithm>
#include <string>

#include "base/memory.h"
#include "binding/arguments.h"
#include "binding/convert.h"
#include "binding/errors.h"

namespace setnet::binding {

namespace {

// Outputs that are held at once while classes are chosen: 1 MiB, or enough rows of a wide network to fill panels.
constexpr uint64_t kScratchFloats = uint64_t{1} << 18;
constexpr uint64_t kScratchRows = 64;

Answer requireAnswer(const Napi::Value& value, const AnswerShape& shape) {
  int32_t number = -1;
  if (napi_get_value_int32(value.Env(), value, &number) != napi_ok || number < 0 || number >= kAnswerCount)
    fail(value.Env(), Code::Type, "output must be a number from 0 to " + std::to_string(kAnswerCount - 1));
  const Answer answer = static_cast<Answer>(number);
  if (answer == Answer::Logits) return answer;
  if (shape.loss < 0) {
    if (answer == Answer::Probabilities)
      fail(value.Env(), Code::State,
           "the network was never fitted, so that it has no loss to make probabilities; ask for 'logits' or 'classes'");
    return answer == Answer::Default ? Answer::Logits : answer;
  }
  const rules::Target target = rules::targetOf(shape.loss);
  const std::string fitted = std::string("the network was fitted with '") + rules::kLosses[shape.loss].name + "'";
  if (target == rules::Target::Number) {
    if (answer != Answer::Default)
      fail(value.Env(), Code::State, fitted + ", whose answers are the outputs themselves; ask for 'logits'");
    return Answer::Logits;
  }
  if (answer == Answer::Default) return Answer::Probabilities;
  if (answer == Answer::Classes && target == rules::Target::Fraction && shape.units > 1)
    fail(value.Env(), Code::State,
         fitted + ", where each of its " + std::to_string(shape.units) +
             " outputs says yes or no by itself; ask for 'probabilities' and compare them with a threshold");
  return answer;
}

backend::Output outputOf(Answer answer) {
  return answer == Answer::Probabilities ? backend::Output::Probabilities : backend::Output::Raw;
}

// The number of each row's largest output; ties go to the lower one. Of a single output that was fitted by fractions: 1
// where its probability is above 1/2.
Status predictClasses(const backend::Predictor& predictor, const backend::MatrixView& x, const AnswerShape& shape,
                      Span<int32_t> classes, Scratch* scratch) {
  const uint64_t units = shape.units;
  const bool byThreshold = shape.loss >= 0 && rules::targetOf(shape.loss) == rules::Target::Fraction;
  const uint64_t block = std::min(std::max(kScratchRows, kScratchFloats / units), x.rows);
  if (scratch->size() < block * units) scratch->resize(block * units);
  for (uint64_t first = 0; first < x.rows; first += block) {
    const uint64_t count = std::min(block, x.rows - first);
    SETNET_TRY(predictor.predict({x, nullptr, first, count}, backend::Output::Raw, {scratch->data(), count * units}));
    for (uint64_t k = 0; k < count; ++k) {
      const float* row = scratch->data() + k * units;
      classes[first + k] = byThreshold ? row[0] > 0 : static_cast<int32_t>(std::max_element(row, row + units) - row);
    }
  }
  return Status();
}

}  // namespace

AnswerShape answerShapeOf(const core::Model& model) {
  return {model.definition.inputs, model.definition.layers.back().units, model.loss};
}

SyncPrediction::SyncPrediction(const Napi::CallbackInfo& info, const AnswerShape& shape)
    : x_(requireRows(info[0], "x", shape.inputs, &matrix_)), shape_(shape), answer_(requireAnswer(info[1], shape)) {
  if (answer_ == Answer::Classes) {
    classes_ = requireInts(info[2], "out", x_.rows);
    refuseOverlap(info.Env(), x_, "x", classes_);
  } else {
    out_ = requireFloats(info[2], "out", requireProduct(info.Env(), x_.rows, shape.units, "out"));
    refuseOverlap(info.Env(), x_, "x", out_);
  }
}

Status SyncPrediction::run(const backend::Predictor& predictor, Scratch* scratch) const {
  if (x_.rows == 0) return Status();
  if (answer_ == Answer::Classes) return predictClasses(predictor, x_, shape_, classes_, scratch);
  return predictor.predict({x_, nullptr, 0, x_.rows}, outputOf(answer_), out_);
}

PredictJob::PredictJob(const Napi::CallbackInfo& info, const AnswerShape& shape)
    : x_(requireRows(info[0], "x", shape.inputs, &matrix_)), shape_(shape), answer_(requireAnswer(info[1], shape)) {
  const Napi::Env env = info.Env();
  const uint64_t results =
      answer_ == Answer::Classes ? x_.rows : requireProduct(env, x_.rows, shape.units, "the result");
  requireMemory(env, saturatedProduct(results, sizeof(float)));
  if (x_.isSparse()) return;
  const char* begin = static_cast<const char*>(x_.data);
  if (x_.rows > 0) copy_.assign(begin, begin + x_.rows * x_.columns * backend::elementSize(x_.type));
  x_.data = copy_.data();
}

Status PredictJob::run() {
  Ref<backend::Predictor> predictor;
  SETNET_TRY(predictorFor(&predictor));
  if (answer_ == Answer::Classes) {
    classes_.resize(x_.rows);
    Scratch scratch;
    return x_.rows == 0 ? Status() : predictClasses(*predictor, x_, shape_, classes_, &scratch);
  }
  results_.resize(x_.rows * shape_.units);
  return x_.rows == 0 ? Status() : predictor->predict({x_, nullptr, 0, x_.rows}, outputOf(answer_), results_);
}

Napi::Value PredictJob::answer(Napi::Env env, AddonData& addon) {
  return answer_ == Answer::Classes ? int32sToJs(env, addon, classes_) : floatsToJs(env, addon, results_);
}

}  // namespace setnet::binding
