#include "binding/dataset.h"

#include <cmath>

#include "binding/arguments.h"
#include "binding/errors.h"

namespace setnet::binding {

void Dataset::own(std::vector<char>* storage) {
  owner_.Reset();
  if (matrix_) return;
  const char* bytes = static_cast<const char*>(x_.data);
  storage->assign(bytes, bytes + x_.rows * x_.columns * backend::elementSize(x_.type));
  x_.data = storage->data();
}

DatasetArgument::DatasetArgument(const Napi::Value& value, const std::string& what) : what_(what) {
  const Napi::Object object = requireObject(value, what);
  rows_ = requireWhole(object.Get("rows"), what + ".rows", 0, kLargestWhole);
  if (rows_ == 0) fail(value.Env(), Code::Data, what + " has no samples");
  x_ = object.Get("x");
  classes_ = object.Get("classes");
  numbers_ = object.Get("numbers");
  weights_ = object.Get("weights");
  refuseResizable(x_, what + ".x");
}

Dataset DatasetArgument::take(uint64_t columns, uint64_t outputs, int loss) const {
  const Napi::Env env = x_.Env();
  Ref<const CsrMatrix> matrix;
  const backend::MatrixView view = requireFeatures(x_, what_ + ".x", rows_, columns, &matrix);
  const int rule = loss < 0 ? static_cast<int>(rules::Loss::SoftmaxCrossEntropy) : loss;
  std::vector<int32_t> classes;
  std::vector<float> numbers;
  if (rules::targetOf(rule) == rules::Target::Class) {
    if (isAbsent(classes_))
      fail(env, Code::Type, what_ + " has no classes, which '" + rules::kLosses[rule].name + "' needs");
    classes = copyClasses(classes_, what_ + ".classes", rows_, outputs);
  } else {
    if (isAbsent(numbers_))
      fail(env, Code::Type, what_ + " has no number for each output, which '" + rules::kLosses[rule].name + "' needs");
    numbers = copyFloats(numbers_, what_ + ".numbers");
    const uint64_t wanted = requireProduct(env, rows_, outputs, (what_ + ".numbers").c_str());
    if (numbers.size() != wanted)
      fail(env, Code::Shape,
           what_ + ".numbers has " + std::to_string(numbers.size()) + " elements, but " + std::to_string(rows_) +
               " rows of " + std::to_string(outputs) + " outputs need " + std::to_string(wanted));
    for (size_t i = 0; i < numbers.size(); ++i)
      if (!std::isfinite(numbers[i]))
        fail(env, Code::Nonfinite, what_ + ".numbers[" + std::to_string(i) + "] is not a finite number");
  }
  std::vector<float> weights;
  if (!isAbsent(weights_)) {
    weights = copyFloats(weights_, what_ + ".weights");
    if (weights.size() != rows_)
      fail(env, Code::Shape,
           what_ + ".weights has " + std::to_string(weights.size()) + " elements, but there are " +
               std::to_string(rows_) + " rows");
    check(env, backend::checkWeights(weights.data(), rows_));
  }
  return Dataset(view, std::move(matrix), std::move(classes), std::move(numbers), std::move(weights),
                 Napi::Persistent(x_.As<Napi::Object>()));
}

}  // namespace setnet::binding
