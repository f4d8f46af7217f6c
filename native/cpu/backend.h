// The CPU backend: sparse, masked and dense layers on activation panels, through the kernels of the widest instruction
// set that runs here.
#pragma once

#include "backend/backend.h"

namespace setnet::cpu {

const backend::Backend& backend();

}  // namespace setnet::cpu
