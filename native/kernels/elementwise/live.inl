// Which samples of a panel are not all zeros. Ends with the first feature that leaves none to be found, which in most
// networks is one of the first.

static void liveSamples(const LiveSamplesArgs& a) {
  uint32_t live = 0;
  for (int64_t f = 0; f < a.features && live != a.wanted; ++f) {
    const float* x = a.x + f * a.width;
    live |= nonzeroBits(load(x)) & a.wanted;
    if (a.wanted >> kLanes != 0) live |= static_cast<uint32_t>(nonzeroBits(load(x + kLanes))) << kLanes & a.wanted;
  }
  *a.live = live;
}
