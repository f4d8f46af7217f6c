// The one list of kernels: it drives declarations, dispatch and tests, so that a kernel cannot exist untested.
// X(name, type of its arguments)
#pragma once

#define SETNET_KERNELS(X)                       \
  X(sparseProduct, SparseProductArgs)           \
  X(sparseVector, SparseVectorArgs)             \
  X(sparseColumns, SparseColumnsArgs)           \
  X(sparseUpdate, SparseUpdateArgs)             \
  X(gather, GatherArgs)                         \
  X(denseForward, DenseForwardArgs)             \
  X(denseVector, DenseVectorArgs)               \
  X(denseInputGradient, DenseInputGradientArgs) \
  X(denseUpdate, DenseUpdateArgs)               \
  X(biasUpdate, BiasUpdateArgs)                 \
  X(scaledUpdate, ScaledUpdateArgs)             \
  X(activation, ActivationArgs)                 \
  X(activationVector, ActivationVectorArgs)     \
  X(activationGradient, ActivationGradientArgs) \
  X(activationUpdate, ActivationUpdateArgs)     \
  X(dropout, DropoutArgs)                       \
  X(loss, LossArgs)                             \
  X(probabilities, ProbabilitiesArgs)           \
  X(packRows, PackRowsArgs)                     \
  X(unpackRows, UnpackRowsArgs)                 \
  X(liveSamples, LiveSamplesArgs)               \
  X(sampleTiles, TilesArgs)
