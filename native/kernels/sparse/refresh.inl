// Values that follow others through a permutation: the transposed form's, once per step.

static void gather(const GatherArgs& a) {
  for (int64_t k = a.begin; k < a.end; ++k) a.to[k] = a.from[a.positions[k]];
}
