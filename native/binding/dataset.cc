#include "binding/dataset.h"

#include "binding/arguments.h"
#include "binding/errors.h"

namespace setnet::binding {

DatasetArgument::DatasetArgument(const Napi::Value& value, const std::string& what) : what_(what) {
  const Napi::Object object = requireObject(value, what);
  rows_ = requireWhole(object.Get("rows"), what + ".rows", 0, kLargestWhole);
  if (rows_ == 0) fail(value.Env(), Code::Data, what + " has no samples");
  x_ = object.Get("x");
  classes_ = object.Get("classes");
  refuseResizable(x_, what + ".x");
}

Dataset DatasetArgument::take(uint64_t columns, uint64_t classes) const {
  Ref<const CsrMatrix> matrix;
  const backend::MatrixView view = requireFeatures(x_, what_ + ".x", rows_, columns, &matrix);
  std::vector<int32_t> copy = copyClasses(classes_, what_ + ".classes", rows_, classes);
  return Dataset(view, std::move(matrix), std::move(copy), Napi::Persistent(x_.As<Napi::Object>()));
}

}  // namespace setnet::binding
