// Between the user's row-major matrices and panels: blocks of 16 rows and 16 columns, transposed in registers.

struct RowScaling {
  Lanes mean, scale;
};

// 16 elements (or the first `count`; the others are 0) as f32.
template <class T>
SETNET_INLINE Lanes convert(const T* from, int64_t count) {
  alignas(64) float numbers[16] = {};
  if (count == kLanes) {
    for (int i = 0; i < 16; ++i) numbers[i] = static_cast<float>(from[i]);
  } else {
    for (int64_t i = 0; i < count; ++i) numbers[i] = static_cast<float>(from[i]);
  }
  return load(numbers);
}
template <class T>
SETNET_INLINE Lanes convertInteger(const T* from, int64_t count) {
  if (count == kLanes) return loadIntegers(from);
  T part[16] = {};
  for (int64_t i = 0; i < count; ++i) part[i] = from[i];
  return loadIntegers(part);
}
SETNET_INLINE Lanes convert(const uint8_t* from, int64_t count) { return convertInteger(from, count); }
SETNET_INLINE Lanes convert(const int8_t* from, int64_t count) { return convertInteger(from, count); }
SETNET_INLINE Lanes convert(const uint16_t* from, int64_t count) { return convertInteger(from, count); }
SETNET_INLINE Lanes convert(const int16_t* from, int64_t count) { return convertInteger(from, count); }
SETNET_INLINE Lanes convert(const float* from, int64_t count) {
  return count == kLanes ? load(from) : loadPart(from, count);
}

// Lanes that hold a missing value become 0, whatever `scaled` made of them.
SETNET_INLINE Lanes withoutMissing(Lanes raw, Lanes scaled, float missing) {
  alignas(64) float x[16], y[16];
  store(x, raw);
  store(y, scaled);
  const bool isNan = missing != missing;
  for (int i = 0; i < 16; ++i)
    if (isNan ? x[i] != x[i] : x[i] == missing) y[i] = 0;
  return load(y);
}

// One row, for panels of width 1.
template <class T>
static void packVectorOf(const PackRowsArgs& a) {
  const T* row =
      static_cast<const T*>(a.data) + (a.indices ? a.indices[0] : a.first) * static_cast<uint64_t>(a.columns);
  const Lanes zero = splat(0.0f);
  Lanes check = zero;  // becomes NaN where anything was not finite
  for (int64_t c = a.columnBegin; c < a.columnEnd; c += kLanes) {
    const int64_t count = a.columnEnd - c < kLanes ? a.columnEnd - c : kLanes;
    const Lanes raw = convert(row + c, count);
    Lanes x = raw;
    if (a.mean && a.perFeature)
      x = (raw - loadPart(a.mean + c, count)) * loadPart(a.scale + c, count);
    else if (a.mean)
      x = (raw - splat(a.mean[0])) * splat(a.scale[0]);
    if (a.hasMissing) x = withoutMissing(raw, x, a.missing);
    if (count < kLanes) x = whereBits(static_cast<uint16_t>((1u << count) - 1), x, zero);
    check = madd(x, zero, check);
    store(a.out.data + c - a.outBegin, x);
  }
  alignas(64) float checks[16];
  store(checks, check);
  for (int i = 0; i < 16; ++i)
    if (checks[i] != 0) *a.nonfinite = 1;
}

// What became of a block's rows: scaled, or as they are; without a value that means missing.
template <bool Scaled>
SETNET_INLINE Lanes packedRow(const PackRowsArgs& a, Lanes raw, const RowScaling& scaling) {
  const Lanes x = Scaled ? (raw - scaling.mean) * scaling.scale : raw;
  return a.hasMissing ? withoutMissing(raw, x, a.missing) : x;
}

template <class T, bool Scaled>
static void packPanels(const PackRowsArgs& a) {
  const T* data = static_cast<const T*>(a.data);
  const Lanes zero = splat(0.0f);
  // Each becomes NaN where anything was not finite; several, so that they do not wait for each other.
  Lanes checks[4] = {zero, zero, zero, zero};
  const int64_t vectors = (a.samples + kLanes - 1) / kLanes;
  for (int64_t v = 0; v < vectors; ++v) {
    const T* rows[16];
    const int64_t there = a.samples - v * kLanes < kLanes ? a.samples - v * kLanes : kLanes;
    for (int64_t i = 0; i < there; ++i) {
      const uint64_t k = static_cast<uint64_t>(v * kLanes + i);
      rows[i] = data + (a.indices ? a.indices[k] : a.first + k) * static_cast<uint64_t>(a.columns);
    }
    float* out = a.out.vector(v);
    for (int64_t c = a.columnBegin; c < a.columnEnd; c += kLanes) {
      const int64_t count = a.columnEnd - c < kLanes ? a.columnEnd - c : kLanes;
      RowScaling scaling = {zero, zero};
      if (Scaled && a.perFeature)
        scaling = {loadPart(a.mean + c, count), loadPart(a.scale + c, count)};
      else if (Scaled)
        scaling = {splat(a.mean[0]), splat(a.scale[0])};
      Lanes block[16];
      if (there == kLanes && count == kLanes) {
        SETNET_UNROLL
        for (int i = 0; i < 16; ++i) {
          block[i] = packedRow<Scaled>(a, convert(rows[i] + c, kLanes), scaling);
          checks[i % 4] = madd(block[i], zero, checks[i % 4]);
        }
      } else {
        SETNET_UNROLL
        for (int i = 0; i < 16; ++i) block[i] = zero;
        for (int64_t i = 0; i < there; ++i) {
          // Lanes beyond the last column hold (0 - 0) * 0 here: finite.
          block[i] = packedRow<Scaled>(a, convert(rows[i] + c, count), scaling);
          checks[0] = madd(block[i], zero, checks[0]);
        }
      }
      transpose16(block);
      if (count == kLanes) {
        SETNET_UNROLL
        for (int i = 0; i < 16; ++i) store(out + (c - a.outBegin + i) * a.out.width, block[i]);
      } else {
        for (int64_t i = 0; i < count; ++i) store(out + (c - a.outBegin + i) * a.out.width, block[i]);
      }
    }
  }
  alignas(64) float numbers[16];
  store(numbers, (checks[0] + checks[1]) + (checks[2] + checks[3]));
  for (int i = 0; i < 16; ++i)
    if (numbers[i] != 0) *a.nonfinite = 1;
}

template <class T>
static void packRowsOf(const PackRowsArgs& a) {
  if (a.out.width == 1)
    packVectorOf<T>(a);
  else if (a.mean)
    packPanels<T, true>(a);
  else
    packPanels<T, false>(a);
}

static void packRows(const PackRowsArgs& a) {
  switch (a.type) {
    case Element::Float32:
      return packRowsOf<float>(a);
    case Element::Float64:
      return packRowsOf<double>(a);
    case Element::Uint8:
      return packRowsOf<uint8_t>(a);
    case Element::Int8:
      return packRowsOf<int8_t>(a);
    case Element::Uint16:
      return packRowsOf<uint16_t>(a);
    case Element::Int16:
      return packRowsOf<int16_t>(a);
  }
}

static void unpackRows(const UnpackRowsArgs& a) {
  for (int64_t sample = 0; sample < a.samples; sample += kLanes) {
    const int64_t rows = a.samples - sample < kLanes ? a.samples - sample : kLanes;
    const float* y = a.y.vector(sample / kLanes);
    for (int64_t u = 0; u < a.units; u += kLanes) {
      const int64_t count = a.units - u < kLanes ? a.units - u : kLanes;
      float* out = a.out + sample * a.units + u;
      Lanes block[16];
      if (count == kLanes && rows == kLanes) {
        SETNET_UNROLL
        for (int i = 0; i < 16; ++i) block[i] = load(y + (u + i) * a.y.width);
        transpose16(block);
        SETNET_UNROLL
        for (int i = 0; i < 16; ++i) store(out + i * a.units, block[i]);
        continue;
      }
      SETNET_UNROLL
      for (int i = 0; i < 16; ++i) block[i] = splat(0.0f);
      for (int64_t i = 0; i < count; ++i) block[i] = load(y + (u + i) * a.y.width);
      transpose16(block);
      for (int64_t i = 0; i < rows; ++i) storePart(out + i * a.units, block[i], count);
    }
  }
}

static void sampleTiles(const TilesArgs& a) {
  for (int64_t feature = a.featureBegin; feature < a.featureEnd; feature += kLanes) {
    const int64_t count = a.featureEnd - feature < kLanes ? a.featureEnd - feature : kLanes;
    float* tile = a.tiles + feature / kLanes * a.tileStride;
    for (int64_t v = 0; v < a.vectors; ++v) {
      const float* x = a.x.vector(v) + feature * a.x.width;
      Lanes block[16];
      SETNET_UNROLL
      for (int i = 0; i < 16; ++i) block[i] = i < count ? load(x + i * a.x.width) : splat(0.0f);
      transpose16(block);
      SETNET_UNROLL
      for (int i = 0; i < 16; ++i) store(tile + (chainPlace(i) * a.vectors + v) * kLanes, block[i]);
    }
  }
}
