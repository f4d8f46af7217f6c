// Models in safetensors files. Tensors: layers.K.rowPointers (U64), layers.K.columnIndices (U32), layers.K.weights
// (F32; a dense layer has only these, of shape [units, inputs]), layers.K.bias (F32), layers.K.activation.NAME (F32,
// [units]; one for each parameter that its activation learns), scaling.mean, scaling.scale (F32). What the tensors mean
// (definition, counters, names) is one JSON string in the metadata under "setnet": TypeScript writes and reads it and
// hands the definition to modelFromFile, which trusts neither.
#pragma once

#include <string>

#include "base/ref.h"
#include "base/status.h"
#include "core/checkpoint.h"
#include "core/model.h"
#include "core/safetensors.h"

namespace setnet::core {

Status writeModelFile(const std::string& path, const Model& model, const std::string& json);

// As writeModelFile of its model, and what a training goes on with: layers.K.weights.state.NAME,
// layers.K.bias.state.NAME, layers.K.activation.PARAMETER.state.NAME, as long as what they belong to, NAME as the
// optimizer calls it; not before the first step and not after the last one. The best network so far lies beside it with
// its state, all names with "best." before them.
Status writeCheckpointFile(const std::string& path, const Checkpoint& checkpoint, const std::string& json);

// `shell` carries definition, scaling kind / missing / known, counters, loss and finalised; layers, mean and scale come
// from the file. Checks shapes, matrices, finite values; Code::Format where anything does not fit. Moves the tensors'
// numbers out of the file, which is used up.
Status modelFromFile(TensorFile* file, const Model& shell, Ref<Model>* out);

// The same of a checkpoint: `checkpoint` carries its state, whether it is finished, the optimizer, and where `hasBest`
// is true the best network is in the file; its models are filled in.
Status checkpointFromFile(TensorFile* file, const Model& shell, bool hasBest, Checkpoint* checkpoint);

}  // namespace setnet::core
