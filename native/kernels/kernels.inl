// All kernels of one instruction set. Included by isa_NAME.cc inside the namespace of its Lanes, inside its target
// region; everything is static, so that no symbol compiled for one processor can be picked for another.

// What the dense kernels are made of.
#include "kernels/dense/tile.inl"

#include "kernels/dense/product.inl"
#include "kernels/dense/update.inl"
#include "kernels/dense/vector.inl"
#include "kernels/elementwise/activation.inl"
#include "kernels/elementwise/bias.inl"
#include "kernels/elementwise/dropout.inl"
#include "kernels/elementwise/live.inl"
#include "kernels/elementwise/loss.inl"
#include "kernels/elementwise/scaled_update.inl"
#include "kernels/pack/rows.inl"
#include "kernels/sparse/columns.inl"
#include "kernels/sparse/product.inl"
#include "kernels/sparse/refresh.inl"
#include "kernels/sparse/update.inl"
#include "kernels/sparse/vector.inl"
