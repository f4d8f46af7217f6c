#include "reference/layer.h"

#include <cmath>
#include <string>

#include "base/philox.h"
#include "reference/rules.h"

namespace setnet::reference {

using core::CsrMatrix;
using core::LayerKind;

namespace {

std::vector<float> toFloat(const std::vector<double>& values) {
  return std::vector<float>(values.begin(), values.end());
}

std::vector<double> toDouble(const std::vector<float>& values) {
  return std::vector<double>(values.begin(), values.end());
}

// Values leave the reference as f32, so that is where they must be finite.
bool isFinite(double x) { return std::isfinite(static_cast<float>(x)); }

std::string layerName(uint32_t index) { return "layers[" + std::to_string(index) + "]"; }

// What dropout does to one output: 0, or the factor of the survivors.
double dropoutFactor(double rate, const RandomStream& stream, uint64_t position, uint64_t unit) {
  const PhiloxBlock block = stream.block(position << 32 | unit / 8);
  const uint64_t half = unit % 8;  // of the block's eight 16-bit halves, low halves first
  const uint32_t decision = block.word[half / 2] >> (half % 2 * 16) & 0xFFFF;
  const bool dropped = decision < std::floor(rate * 65536 + 0.5);
  return dropped ? 0 : static_cast<float>(1 / (1 - rate));
}

}  // namespace

Layer::Layer(const core::LayerDefinition& definition, uint32_t index, const core::LayerState& state, int stateCount)
    : definition_(definition),
      index_(index),
      bias_(toDouble(state.bias)),
      weightState_(stateCount),
      biasState_(stateCount, std::vector<double>(state.bias.size(), 0)),
      activationParameters_(toDouble(state.activationParameters)),
      activationState_(stateCount, std::vector<double>(state.activationParameters.size(), 0)) {
  definition_.activation = rules::placed(definition.activation, index);
  place(state.weights);
  for (size_t c = 0; c < connections_.size(); ++c) weights_[connections_[c]] = state.weights.values[c];
  if (state.weightState.size() == weightState_.size())
    for (int s = 0; s < stateCount; ++s)
      for (size_t c = 0; c < connections_.size(); ++c) weightState_[s][connections_[c]] = state.weightState[s][c];
  if (!bias_.empty() && state.biasState.size() == biasState_.size())
    for (int s = 0; s < stateCount; ++s) biasState_[s] = toDouble(state.biasState[s]);
  if (!activationParameters_.empty() && state.activationState.size() == activationState_.size())
    for (int s = 0; s < stateCount; ++s) activationState_[s] = toDouble(state.activationState[s]);
}

// Lists the cells for this topology, all weights and states 0.
void Layer::place(const CsrMatrix& matrix) {
  cells_.clear();
  connections_.clear();
  const bool allCells = definition_.kind != LayerKind::Sparse;
  if (allCells)
    for (uint64_t o = 0; o < definition_.units; ++o)
      for (uint64_t i = 0; i < definition_.inputs; ++i) cells_.push_back({o, i});
  if (definition_.kind == LayerKind::Dense)
    for (uint64_t k = 0; k < cells_.size(); ++k) connections_.push_back(k);
  else
    for (uint64_t o = 0; o < definition_.units; ++o)
      for (uint64_t p = matrix.rowPointers[o]; p < matrix.rowPointers[o + 1]; ++p) {
        const uint64_t i = matrix.columnIndices[p];
        if (!allCells) cells_.push_back({o, i});
        connections_.push_back(allCells ? o * definition_.inputs + i : p);
      }
  mask_.assign(cells_.size(), 0);
  for (uint64_t k : connections_) mask_[k] = 1;
  weights_.assign(cells_.size(), 0);
  for (std::vector<double>& state : weightState_) state.assign(cells_.size(), 0);
}

void Layer::forward(const std::vector<double>& x, const DropoutKey* dropout, Activity* activity) const {
  const uint64_t units = definition_.units;
  activity->z.assign(units, 0);
  if (!bias_.empty()) activity->z = bias_;
  for (size_t k = 0; k < cells_.size(); ++k) activity->z[cells_[k].output] += weights_[k] * x[cells_[k].input];

  activity->dropout.assign(units, 1);
  if (dropout && definition_.dropout > 0) {
    const RandomStream stream{dropout->seed, Purpose::Dropout, index_, dropout->step};
    for (uint64_t u = 0; u < units; ++u)
      activity->dropout[u] = dropoutFactor(definition_.dropout, stream, dropout->position, u);
  }
  activity->y.resize(units);
  for (uint64_t u = 0; u < units; ++u)
    activity->y[u] = activate(definition_.activation.rule, activationNumbers(u), activity->z[u]) * activity->dropout[u];
}

void Layer::backward(const std::vector<double>& x, const Activity& activity, const std::vector<double>& dy,
                     LayerGradient* gradient, std::vector<double>* dx) const {
  const uint64_t units = definition_.units;
  const int activation = definition_.activation.rule;
  std::vector<double> dz(units);
  for (uint64_t u = 0; u < units; ++u) {
    const ActivationNumbers numbers = activationNumbers(u);
    const double dActivation = dy[u] * activity.dropout[u];
    const double y = activity.dropout[u] > 0 ? activity.y[u] / activity.dropout[u] : 0;
    dz[u] = activationGradient(activation, numbers, dActivation, activity.z[u], y);
    double sums[rules::kMaxLearned] = {};
    addParameterGradient(activation, numbers, dActivation, activity.z[u], sums);
    for (size_t i = 0; i * units < gradient->activation.size(); ++i) gradient->activation[i * units + u] += sums[i];
  }
  dx->assign(definition_.inputs, 0);
  for (size_t k = 0; k < cells_.size(); ++k) {
    const Cell& cell = cells_[k];
    (*dx)[cell.input] += weights_[k] * dz[cell.output];
    gradient->weights[k] += mask_[k] * (dz[cell.output] * x[cell.input]);
  }
  for (size_t u = 0; u < bias_.size(); ++u) gradient->bias[u] += dz[u];
}

LayerGradient Layer::zeroGradient() const {
  return {std::vector<double>(cells_.size(), 0), std::vector<double>(bias_.size(), 0),
          std::vector<double>(activationParameters_.size(), 0)};
}

void Layer::update(const rules::RuleChoice& optimizer, const rules::OptimizerStep& step,
                   const LayerGradient& gradient) {
  float coefficients[rules::kMaxCoefficients];
  const auto updateAll = [&](const std::vector<double>& gradients, std::vector<double>* values,
                             std::vector<std::vector<double>>* states) {
    for (size_t k = 0; k < values->size(); ++k) {
      double state[rules::kMaxOptimizerState] = {};
      for (size_t s = 0; s < states->size(); ++s) state[s] = (*states)[s][k];
      optimize(optimizer.rule, coefficients, gradients[k], &(*values)[k], state);
      for (size_t s = 0; s < states->size(); ++s) (*states)[s][k] = state[s];
    }
  };
  rules::prepareOptimizer(optimizer, step, false, coefficients);
  updateAll(gradient.weights, &weights_, &weightState_);
  rules::prepareOptimizer(optimizer, step, true, coefficients);
  updateAll(gradient.bias, &bias_, &biasState_);
  updateAll(gradient.activation, &activationParameters_, &activationState_);
}

// The connections that exist in canonical form, with one of the per-cell arrays as their values.
CsrMatrix Layer::connections(const std::vector<double>& values) const {
  CsrMatrix matrix;
  matrix.rows = definition_.units;
  matrix.columns = definition_.inputs;
  matrix.rowPointers.assign(definition_.units + 1, 0);
  for (uint64_t k : connections_) {
    ++matrix.rowPointers[cells_[k].output + 1];
    matrix.columnIndices.push_back(static_cast<uint32_t>(cells_[k].input));
    matrix.values.push_back(static_cast<float>(values[k]));
  }
  for (uint64_t o = 0; o < definition_.units; ++o) matrix.rowPointers[o + 1] += matrix.rowPointers[o];
  return matrix;
}

Status Layer::evolve(const backend::EvolutionSettings& settings, size_t position, uint64_t seed, Layer* after,
                     core::LayerEvolutionReport* report) const {
  *after = *this;
  *report = core::LayerEvolutionReport();
  report->connections = connections_.size();
  if (!core::isEvolved(definition_) || !settings.isChosen(position)) return Status();

  const core::LayerEvolutionInput input = backend::evolutionInputOf(definition_, position, index_, seed, settings);

  const CsrMatrix before = connections(weights_);
  CsrMatrix evolved;
  std::vector<uint64_t> origin;  // per connection afterwards: which one it was before
  Status status = core::evolveLayer(before, settings.rules, input, &evolved, &origin, report);
  if (!status.ok()) return Status(status.code(), layerName(index_) + ": " + status.message());
  SETNET_TRY(core::checkEvolution(before, evolved, origin, *report, input.growBack, input.budget));

  after->place(evolved);
  for (size_t c = 0; c < origin.size(); ++c) {
    const uint64_t cell = after->connections_[c];
    if (origin[c] == core::kNewcomer) {
      after->weights_[cell] = evolved.values[c];
      continue;
    }
    // A survivor keeps what it has in double; its f32 value only served to choose.
    const uint64_t was = connections_[origin[c]];
    after->weights_[cell] = weights_[was];
    for (size_t s = 0; s < weightState_.size(); ++s) after->weightState_[s][cell] = weightState_[s][was];
  }
  return Status();
}

void Layer::resetState() {
  for (auto* states : {&weightState_, &biasState_, &activationState_})
    for (std::vector<double>& values : *states) std::fill(values.begin(), values.end(), 0.0);
}

Status Layer::checkFinite() const {
  const auto diverged = [&](const std::string& what) {
    return Status(Code::Diverged, layerName(index_) + ": " + what + " is no longer finite");
  };
  const auto check = [&](const std::vector<double>& perCell, const std::string& what) {
    for (size_t k = 0; k < perCell.size(); ++k)
      if (!isFinite(perCell[k]))
        return diverged(what + " from input " + std::to_string(cells_[k].input) + " to unit " +
                        std::to_string(cells_[k].output));
    return Status();
  };
  const auto checkUnits = [&](const std::vector<double>& perUnit, const std::string& what) {
    for (size_t u = 0; u < perUnit.size(); ++u)
      if (!isFinite(perUnit[u])) return diverged(what + " of unit " + std::to_string(u));
    return Status();
  };
  SETNET_TRY(check(weights_, "the weight"));
  SETNET_TRY(checkUnits(bias_, "the bias"));
  for (const std::vector<double>& state : weightState_) SETNET_TRY(check(state, "the optimizer state of the weight"));
  for (const std::vector<double>& state : biasState_) SETNET_TRY(checkUnits(state, "the optimizer state of the bias"));
  const auto checkParameters = [&](const std::vector<double>& values, const std::string& what) {
    for (size_t k = 0; k < values.size(); ++k)
      if (!isFinite(values[k]))
        return diverged(what + " " + rules::learnedOf(definition_.activation.rule)[k / definition_.units].name +
                        " of unit " + std::to_string(k % definition_.units));
    return Status();
  };
  SETNET_TRY(checkParameters(activationParameters_, "the activation's"));
  for (const std::vector<double>& state : activationState_)
    SETNET_TRY(checkParameters(state, "the optimizer state of the activation's"));
  return Status();
}

core::LayerState Layer::exportState(bool withOptimizerState) const {
  core::LayerState state;
  state.weights = connections(weights_);
  state.bias = toFloat(bias_);
  state.activationParameters = toFloat(activationParameters_);
  if (withOptimizerState) {
    for (const std::vector<double>& cells : weightState_) state.weightState.push_back(connections(cells).values);
    for (const std::vector<double>& units : biasState_) state.biasState.push_back(toFloat(units));
    for (const std::vector<double>& values : activationState_) state.activationState.push_back(toFloat(values));
  }
  if (definition_.kind == LayerKind::Dense) {  // its topology needs no saying
    state.weights.rowPointers.clear();
    state.weights.columnIndices.clear();
  }
  return state;
}

}  // namespace setnet::reference
