#include "binding/csr_matrix.h"

#include <cmath>
#include <string>
#include <vector>

#include "base/memory.h"
#include "binding/arguments.h"
#include "binding/convert.h"
#include "binding/errors.h"
#include "binding/external_memory.h"
#include "binding/job.h"
#include "binding/options.h"
#include "binding/prediction.h"
#include "binding/wrapped.h"
#include "cpu/backend.h"

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

uint64_t requireRowCount(const Napi::Object& data) {
  return requireWhole(data.Get("rows"), "rows", 0, static_cast<double>(core::kMaxColumns));
}

uint64_t requireColumnCount(const Napi::Object& data) {
  return requireWhole(data.Get("columns"), "columns", 0, static_cast<double>(core::kMaxColumns));
}

int requireThreads(const Napi::Value& value) {
  return static_cast<int>(requireWhole(value, "threads", 1, kMostThreadsAsked));
}

// A network of one linear layer without bias.
Ref<const core::Model> layerOf(core::CsrMatrix matrix) {
  Ref<core::Model> model(new core::Model);
  core::LayerDefinition layer;
  layer.inputs = matrix.columns;
  layer.units = matrix.rows;
  layer.activation = rules::defaultsOf(all(rules::kActivations), static_cast<int>(rules::Activation::Linear));
  layer.bias = false;
  model->definition.inputs = layer.inputs;
  model->definition.layers.push_back(layer);
  model->layers.emplace_back();
  model->layers[0].weights = std::move(matrix);
  return model;
}

class ProductJob : public PredictJob {
 public:
  ProductJob(const Napi::CallbackInfo& info, const AnswerShape& shape, Ref<CsrMatrix> matrix,
             CsrMatrix::Direction direction, int threads)
      : PredictJob(info, shape), matrix_(std::move(matrix)), direction_(direction), threads_(threads) {}

 private:
  Status predictorFor(Ref<backend::Predictor>* out) override { return matrix_->productOf(direction_, threads_, out); }
  Napi::Value answer(Napi::Env env, AddonData& addon) override {
    matrix_->account(env);
    return PredictJob::answer(env, addon);
  }

  const Ref<CsrMatrix> matrix_;
  const CsrMatrix::Direction direction_;
  const int threads_;
};

// The arguments (a, b, samples, threads) of a sampled product, borrowed.
struct SampledArguments {
  SampledArguments(const Napi::CallbackInfo& info, const core::CsrMatrix& matrix) {
    const uint64_t samples = requireWhole(info[2], "samples", 0, kLargestWhole);
    threads = requireThreads(info[3]);
    a = requireFeatures(info[0], "a", samples, matrix.rows, nullptr);
    b = requireFeatures(info[1], "b", samples, matrix.columns, nullptr);
    requireMemory(info.Env(), saturatedProduct(matrix.count(), 2 * (sizeof(uint32_t) + sizeof(float))));
  }

  // Any thread: a new matrix with the sums as values.
  Status run(const core::CsrMatrix& topology, core::CsrMatrix* out) const {
    std::vector<float> values(topology.count());
    SETNET_TRY(cpu::backend().sampledProduct(topology, a, b, threads, values));
    core::CsrMatrix made;
    made.rows = topology.rows;
    made.columns = topology.columns;
    made.rowPointers = topology.rowPointers;
    made.columnIndices = topology.columnIndices;
    made.values = std::move(values);
    // Sums of finite numbers need not be finite.
    SETNET_TRY(made.validate());
    *out = std::move(made);
    return Status();
  }

  backend::MatrixView a, b;
  int threads = 1;
};

void copyInto(std::vector<char>* copy, backend::MatrixView* view) {
  const char* begin = static_cast<const char*>(view->data);
  const uint64_t bytes = view->rows * view->columns * backend::elementSize(view->type);
  if (bytes > 0) copy->assign(begin, begin + bytes);
  view->data = copy->data();
}

class SampledJob : public Job {
 public:
  SampledJob(const Napi::CallbackInfo& info, Ref<CsrMatrix> matrix)
      : matrix_(std::move(matrix)), arguments_(info, matrix_->matrix()) {
    copyInto(&a_, &arguments_.a);
    copyInto(&b_, &arguments_.b);
  }

 private:
  Status run() override { return arguments_.run(matrix_->matrix(), &made_); }
  Napi::Value answer(Napi::Env env, AddonData& addon) override { return CsrMatrix::make(env, addon, std::move(made_)); }

  const Ref<CsrMatrix> matrix_;
  SampledArguments arguments_;  // of the copies
  std::vector<char> a_, b_;
  core::CsrMatrix made_;
};

}  // namespace

void CsrMatrix::define(Napi::Env env, AddonData& addon) {
  using W = Wrapped<CsrMatrix>;
  W::define(
      env, addon,
      {W::getter<rows>(addon, "rows"), W::getter<columns>(addon, "columns"), W::getter<count>(addon, "count"),
       W::method<rowPointers>(addon, "rowPointers"), W::method<columnIndices>(addon, "columnIndices"),
       W::method<values>(addon, "values"), W::method<toDense>(addon, "toDense"),
       W::method<rowCounts>(addon, "rowCounts"), W::method<columnCounts>(addon, "columnCounts"),
       W::method<row>(addon, "row"), W::method<transpose>(addon, "transpose"),
       W::method<multiply<Forward>>(addon, "multiply"), W::method<multiplySync<Forward>>(addon, "multiplySync"),
       W::method<multiply<Transposed>>(addon, "transposeMultiply"),
       W::method<multiplySync<Transposed>>(addon, "transposeMultiplySync"),
       W::method<sampledProduct>(addon, "sampledProduct"), W::method<sampledProductSync>(addon, "sampledProductSync")});
}

Napi::Object CsrMatrix::make(Napi::Env env, AddonData& addon, core::CsrMatrix matrix) {
  const Ref<CsrMatrix> object(new CsrMatrix(std::move(matrix)));
  const Napi::Object made = Wrapped<CsrMatrix>::make(env, addon, object);
  object->account(env);
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
  uint64_t bytes = matrix_.rowPointers.size() * sizeof(uint64_t) + matrix_.columnIndices.size() * sizeof(uint32_t) +
                   matrix_.values.size() * sizeof(float);
  MonitorLock lock(monitor_);
  for (const Ref<backend::Predictor>& product : products_) bytes += product ? product->bytes() : 0;
  return static_cast<int64_t>(bytes);
}

void CsrMatrix::account(Napi::Env env) {
  if (finalised_) return;
  const int64_t now = bytes();
  adjustExternalMemory(env, now - accounted_);
  accounted_ = now;
}

void CsrMatrix::onFinalise(Napi::Env env) {
  adjustExternalMemory(env, -accounted_);
  finalised_ = true;
}

Status CsrMatrix::productOf(Direction direction, int threads, Ref<backend::Predictor>* out) {
  const auto find = [&] {
    MonitorLock lock(monitor_);
    *out = products_[direction];
    return static_cast<bool>(*out);
  };
  if (find()) return Status();
  MonitorLock one(building_);
  if (find()) return Status();
  core::CsrMatrix matrix;
  if (direction == Transposed)
    SETNET_TRY(core::transpose(matrix_, &matrix));
  else
    matrix = matrix_;
  backend::PredictorOptions options;
  options.threads = threads;
  SETNET_TRY(cpu::backend().createPredictor(layerOf(std::move(matrix)), options, out));
  MonitorLock lock(monitor_);
  products_[direction] = *out;
  return Status();
}

AnswerShape CsrMatrix::requireCells(Napi::Env env, Direction direction) const {
  if (matrix_.rows == 0 || matrix_.columns == 0) fail(env, Code::Shape, "a matrix without cells has no packed form");
  AnswerShape shape;
  shape.inputs = direction == Transposed ? matrix_.rows : matrix_.columns;
  shape.units = direction == Transposed ? matrix_.columns : matrix_.rows;
  // Beside the result: the transpose, its packed form and what packing needs, per row and per element.
  constexpr uint64_t kPerRow = 64, kPerElement = 32;
  requireMemory(env,
                saturatedSum(saturatedProduct(shape.units, kPerRow), saturatedProduct(matrix_.count(), kPerElement)));
  return shape;
}

// (x, answer, threads)
template <CsrMatrix::Direction direction>
Napi::Value CsrMatrix::multiply(CsrMatrix& self, const Napi::CallbackInfo& info) {
  const int threads = requireThreads(info[2]);
  const AnswerShape shape = self.requireCells(info.Env(), direction);
  return Job::start(info.Env(), addonOf(info),
                    Ref<Job>(new ProductJob(info, shape, Ref<CsrMatrix>(&self), direction, threads)));
}

// (x, answer, out, threads)
template <CsrMatrix::Direction direction>
Napi::Value CsrMatrix::multiplySync(CsrMatrix& self, const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const int threads = requireThreads(info[3]);
  Ref<backend::Predictor> predictor;
  const AnswerShape shape = self.requireCells(env, direction);
  check(env, self.productOf(direction, threads, &predictor));
  self.account(env);
  Scratch scratch;
  check(env, SyncPrediction(info, shape).run(*predictor, &scratch));
  return Napi::Value();
}

Napi::Value CsrMatrix::sampledProduct(CsrMatrix& self, const Napi::CallbackInfo& info) {
  return Job::start(info.Env(), addonOf(info), Ref<Job>(new SampledJob(info, Ref<CsrMatrix>(&self))));
}

Napi::Value CsrMatrix::sampledProductSync(CsrMatrix& self, const Napi::CallbackInfo& info) {
  core::CsrMatrix made;
  check(info.Env(), SampledArguments(info, self.matrix_).run(self.matrix_, &made));
  return make(info.Env(), addonOf(info), std::move(made));
}

Napi::Value CsrMatrix::createFromDense(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Napi::Object data = requireObject(info[0], "the matrix");
  const uint64_t rows = requireRowCount(data), columns = requireColumnCount(data);
  const double tolerance = requireInRange(data.Get("tolerance"), "tolerance", 0, HUGE_VAL);
  const uint64_t cells = requireProduct(env, rows, columns, "the dense matrix");
  const Span<float> values = requireFloats(data.Get("values"), "values", cells);
  core::CsrMatrix matrix;
  check(env, core::fromDense(rows, columns, values, tolerance, &matrix));
  check(env, matrix.validate());
  return make(env, addonOf(info), std::move(matrix));
}

Napi::Value CsrMatrix::createFromCoordinates(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Napi::Object data = requireObject(info[0], "the matrix");
  const uint64_t rows = requireRowCount(data), columns = requireColumnCount(data);
  const bool sum = requireBoolean(data.Get("sum"), "sum");
  const std::vector<uint32_t> rowIndices = copyUint32s(data.Get("rowIndices"), "rowIndices");
  const std::vector<uint32_t> columnIndices = copyUint32s(data.Get("columnIndices"), "columnIndices");
  const std::vector<float> values = copyFloats(data.Get("values"), "values");
  core::CsrMatrix matrix;
  check(env, core::fromCoordinates(rows, columns, rowIndices, columnIndices, values, sum, &matrix));
  check(env, matrix.validate());
  return make(env, addonOf(info), std::move(matrix));
}

Napi::Value CsrMatrix::row(CsrMatrix& self, const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const core::CsrMatrix& matrix = self.matrix_;
  const uint64_t row = requireWhole(info[0], "row", 0, kLargestWhole);
  if (row >= matrix.rows)
    fail(env, Code::Option,
         "there is no row " + std::to_string(row) + ": the matrix has " + std::to_string(matrix.rows) + " rows");
  const uint64_t first = matrix.rowPointers[row], count = matrix.rowPointers[row + 1] - first;
  Napi::Object object = Napi::Object::New(env);
  const Span<const uint32_t> columnIndices = matrix.columnIndices;
  const Span<const float> values = matrix.values;
  object.Set("columnIndices", uint32sToJs(env, addonOf(info), columnIndices.part(first, count)));
  object.Set("values", floatsToJs(env, addonOf(info), values.part(first, count)));
  return object;
}

Napi::Value CsrMatrix::transpose(CsrMatrix& self, const Napi::CallbackInfo& info) {
  core::CsrMatrix matrix;
  check(info.Env(), core::transpose(self.matrix_, &matrix));
  return make(info.Env(), addonOf(info), std::move(matrix));
}

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
